import { add, customGradient, gather, matmul, reshape, softmax, transpose, type Value } from "../../graph/index.js";
import { isPlain, linear } from "../linear.js";
import type { ModelGraph } from "../model-graph.js";
import { type PackedLayout, toHeads } from "../packed-attention.js";
import type { T5Config } from "./config.js";

/**
 * What the decoder attends to. `states` [B, L, width] are the encoder's, padded; a layer whose keys and values are
 * given ([B, heads, L, headWidth] each) reads those instead.
 */
export interface CrossSource {
  readonly states?: Value;
  /** float32 [B, 1, 1, L] */
  readonly keyMask: Value;
  readonly keysAndValues: ReadonlyMap<number, readonly [Value, Value]>;
}

const layerName = (layer: number): string => `decoder.block.${layer}.layer.1.EncDecAttention`;

/**
 * Whether a layer's cross-attention may read the encoder's states themselves: with a few queries it is far cheaper to
 * bring them to the states' space (q·W_k) and the mixed states to the values' (·W_vᵀ) than to make keys and values of
 * every token. Equal but for rounding. A layer with an adapter or a stored weight makes keys and values.
 */
export function readsStates(graph: ModelGraph, layer: number): boolean {
  return isPlain(graph, `${layerName(layer)}.k`) && isPlain(graph, `${layerName(layer)}.v`);
}

/** How packed tokens lie in the padded shape of the states. */
export interface StateLayout {
  /** int32 [B, L]: the packed token of each padded place. */
  readonly statePlaces: Value;
  /** int32 [T]: the padded place of each packed token. */
  readonly tokenPlaces: Value;
}

/**
 * The packed states [T, width] as [B, L, width]. Padding repeats a row's last token; its gradient is zero by the mask.
 */
export function paddedStates(states: Value, { statePlaces, tokenPlaces }: StateLayout): Value {
  const width = states.dimension(1);
  return customGradient(
    "paddedStates",
    [states],
    () => gather(states, statePlaces),
    (dy) => [gather(reshape(dy, ["B*L", width]), tokenPlaces)],
  );
}

/** Keys and values of a layer, from the packed states [T, width]. */
export function crossKeysAndValues(
  graph: ModelGraph,
  states: Value,
  layer: number,
  layout: PackedLayout,
  config: T5Config,
): readonly [Value, Value] {
  const [k, v] = ["k", "v"].map((part) =>
    toHeads(linear(graph, states, `${layerName(layer)}.${part}`), layout, config.numHeads, config.dKv),
  );
  return [k!, v!];
}

/** Cross-attention of decoder states [B·N, width], before the output projection: [B·N, heads · headWidth]. */
export function crossAttention(
  graph: ModelGraph,
  x: Value,
  layer: number,
  source: CrossSource,
  queries: number | string,
  config: T5Config,
): Value {
  const { numHeads: heads, dKv: headWidth, dModel: width } = config;
  const name = layerName(layer);
  const q = linear(graph, x, `${name}.q`);
  const known = source.keysAndValues.get(layer);
  if (known) {
    const [keys, values] = known;
    const perHead = transpose(reshape(q, ["B", queries, heads, headWidth]), [0, 2, 1, 3]);
    const weights = attend(graph, perHead, keys, source.keyMask, config, name);
    return reshape(transpose(matmul(weights, values), [0, 2, 1, 3]), [x.dimension(0), heads * headWidth]);
  }
  const states = source.states!;
  const perHead = transpose(reshape(q, [x.dimension(0), heads, headWidth]), [1, 0, 2]);
  const keyWeight = reshape(graph.weight(`${name}.k.weight`), [heads, headWidth, width]);
  const valueWeight = reshape(graph.weight(`${name}.v.weight`), [heads, headWidth, width]);
  const inStates = transpose(reshape(matmul(perHead, keyWeight), [heads, "B", queries, width]), [1, 0, 2, 3]);
  const flat = reshape(inStates, ["B", product(heads, queries), width]);
  const scores = reshape(matmul(flat, states, { transB: true }), ["B", heads, queries, "L"]);
  const weights = graph.dropout(softmax(add(scores, source.keyMask)), config.dropoutRate, `${name}.weights`);
  const mixed = reshape(matmul(reshape(weights, ["B", product(heads, queries), "L"]), states), [
    "B",
    heads,
    queries,
    width,
  ]);
  const byHead = reshape(transpose(mixed, [1, 0, 2, 3]), [heads, x.dimension(0), width]);
  return reshape(transpose(matmul(byHead, valueWeight, { transB: true }), [1, 0, 2]), [
    x.dimension(0),
    heads * headWidth,
  ]);
}

function attend(graph: ModelGraph, q: Value, keys: Value, mask: Value, config: T5Config, name: string): Value {
  return graph.dropout(softmax(add(matmul(q, keys, { transB: true }), mask)), config.dropoutRate, `${name}.weights`);
}

function product(factor: number, dimension: number | string): number | string {
  return typeof dimension === "number" ? factor * dimension : `${factor}*${dimension}`;
}
