import {
  add,
  customGradient,
  gather,
  matmul,
  mul,
  reduceSum,
  reshape,
  softmax,
  sub,
  transpose,
  type Value,
} from "../graph/index.js";
import type { ModelGraph } from "./model-graph.js";

/** How packed tokens [T] lie in the padded shape [B, heads, L] of attention; made by `packing.ts`. */
export interface PackedLayout {
  /** int32 [B, heads, L]: the packed [token, head] of each padded place. */
  readonly headPlaces: Value;
  /** int32 [T, heads]: the padded place of each packed [token, head]. */
  readonly packedPlaces: Value;
  /** float32 [B, 1, L, 1]: 1 at tokens, 0 at padding. */
  readonly tokenMask: Value;
}

export interface AttentionOptions {
  readonly heads: number;
  readonly headWidth: number;
  /** Added to the scores, which are not scaled: broadcasts to [B, heads, L, L], and makes padding's keys vanish. */
  readonly bias: Value;
  /** Share of the attention weights that dropout zeroes, and the name of its site. */
  readonly dropout: number;
  readonly site: string;
}

/** [T, heads · headWidth] as [B, heads, L, headWidth]; its gradient reads the same places back. */
export function toHeads(x: Value, layout: PackedLayout, heads: number, headWidth: number): Value {
  return customGradient(
    "toHeads",
    [x],
    () => spread(x, layout, heads, headWidth),
    (dy) => [collect(dy, layout, x, heads, headWidth)],
  );
}

/**
 * [B, heads, L, headWidth] back as packed [T, heads · headWidth], shaped as `like`; padding's places get no gradient.
 */
export function fromHeads(y: Value, layout: PackedLayout, like: Value, heads: number, headWidth: number): Value {
  return customGradient(
    "fromHeads",
    [y],
    () => collect(y, layout, like, heads, headWidth),
    (dy) => [mul(spread(dy, layout, heads, headWidth), layout.tokenMask)],
  );
}

function spread(x: Value, { headPlaces }: PackedLayout, heads: number, headWidth: number): Value {
  const tokens = x.dimension(0);
  return gather(
    reshape(x, [typeof tokens === "number" ? tokens * heads : `${heads}*${tokens}`, headWidth]),
    headPlaces,
  );
}

/** [B, heads, L, headWidth] back as packed [T, heads · headWidth]. */
function collect(y: Value, { packedPlaces }: PackedLayout, like: Value, heads: number, headWidth: number): Value {
  return reshape(gather(reshape(y, [-1, headWidth]), packedPlaces), [like.dimension(0), heads * headWidth]);
}

/**
 * Attention of packed rows to themselves: softmax(q·kᵀ + bias)·v, heads side by side, [T, heads · headWidth] each way.
 * The sum that softmax's gradient needs is taken from the output (as in FlashAttention), which spares a pass over the
 * attention weights.
 */
export function packedAttention(
  graph: ModelGraph,
  q: Value,
  k: Value,
  v: Value,
  layout: PackedLayout,
  { heads, headWidth, bias, dropout, site }: AttentionOptions,
): Value {
  let queries: Value, keys: Value, values: Value, weights: Value, dropped: Value, output: Value;
  const build = (): Value => {
    [queries, keys, values] = [q, k, v].map((x) => spread(x, layout, heads, headWidth)) as [Value, Value, Value];
    weights = softmax(add(matmul(queries, keys, { transB: true }), bias));
    dropped = graph.dropout(weights, dropout, site);
    output = matmul(dropped, values);
    return collect(output, layout, q, heads, headWidth);
  };
  return customGradient("packedAttention", [q, k, v, bias], build, (dy, needed) => {
    // Padding's queries were never used: with their gradient zero, nothing of them reaches keys and values.
    const dOutput = mul(spread(dy, layout, heads, headWidth), layout.tokenMask);
    const dDropped = matmul(dOutput, values, { transB: true });
    const sum = reduceSum(mul(dOutput, output), [-1], { keepAxes: true });
    const dScores =
      dropped === weights ? mul(weights, sub(dDropped, sum)) : sub(mul(dropped, dDropped), mul(weights, sum));
    const back = (x: Value): Value => collect(x, layout, q, heads, headWidth);
    return [
      needed[0] ? back(matmul(dScores, keys)) : undefined,
      needed[1] ? back(matmul(dScores, queries, { transA: true })) : undefined,
      needed[2] ? back(matmul(dropped, dOutput, { transA: true })) : undefined,
      needed[3] ? summedTo(dScores, bias) : undefined,
    ];
  })!;
}

/**
 * As {@link packedAttention}, of B rows that all have L places: tokens stand at `row · L + place`. For exported models,
 * whose rows come padded.
 */
export function paddedAttention(
  graph: ModelGraph,
  q: Value,
  k: Value,
  v: Value,
  { heads, headWidth, bias, dropout, site }: AttentionOptions,
): Value {
  const [queries, keys, values] = [q, k, v].map((x) =>
    transpose(reshape(x, ["B", "L", heads, headWidth]), [0, 2, 1, 3]),
  ) as [Value, Value, Value];
  const weights = graph.dropout(softmax(add(matmul(queries, keys, { transB: true }), bias)), dropout, site);
  return reshape(transpose(matmul(weights, values), [0, 2, 1, 3]), q.shape);
}

/** Sums a gradient over the axes along which the value was broadcast. */
function summedTo(gradient: Value, value: Value): Value {
  const axes = value.shape.flatMap((dimension, axis) => (dimension === 1 && gradient.shape[axis] !== 1 ? [axis] : []));
  return axes.length > 0 ? reduceSum(gradient, axes, { keepAxes: true }) : gradient;
}
