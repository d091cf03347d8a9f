import { add, matmul, mul, reshape, rmsNorm, softcap, softmax, type Value } from "../../graph/index.js";
import { linear } from "../linear.js";
import type { ModelGraph } from "../model-graph.js";
import { fromHeads, type PackedLayout, toHeads } from "../packed-attention.js";
import type { DecoderConfig } from "./config.js";
import { gatedMlp } from "./mlp.js";
import { rotate } from "./rope.js";

/** What a layer reads beside its states; B rows, T tokens in all, the longest row L. */
export interface LayerInputs {
  readonly layout: PackedLayout;
  readonly keyValueLayout: PackedLayout;
  /** float32 [T, 1, headDim / 2] */
  readonly cos: Value;
  readonly sin: Value;
  /** float32 [L, L]: added to the scores; keys that are later, or outside the window, vanish. */
  readonly mask: Value;
}

/** The norm `<layer>.weight` over the last axis. */
export function norm(graph: ModelGraph, x: Value, layer: string, config: DecoderConfig): Value {
  const weight = graph.weight(`${layer}.weight`);
  return rmsNorm(x, config.norm.storedLessOne ? add(weight, 1) : weight, config.rmsNormEps);
}

/** Scores as they go into softmax: scaled, capped. */
export function cappedScores(scores: Value, config: DecoderConfig): Value {
  const scaled = mul(scores, config.queryPreAttnScalar ** -0.5);
  return config.attnLogitSoftcapping === null ? scaled : softcap(scaled, config.attnLogitSoftcapping);
}

/**
 * Queries, keys and values of packed tokens, turned by their positions: [T, heads · headDim], the latter two with fewer
 * heads.
 */
export function queriesKeysValues(
  graph: ModelGraph,
  x: Value,
  prefix: string,
  { cos, sin }: Pick<LayerInputs, "cos" | "sin">,
  config: DecoderConfig,
): { queries: Value; keys: Value; values: Value } {
  const { numAttentionHeads, numKeyValueHeads, headDim, queryKeyNorm } = config;
  const normed = norm(graph, x, `${prefix}${config.norm.beforeAttention}`, config);
  const project = (part: "q" | "k" | "v"): Value => linear(graph, normed, `${prefix}self_attn.${part}_proj`);
  const rotated = (part: "q" | "k", heads: number): Value => {
    const split = reshape(project(part), [x.dimension(0), heads, headDim]);
    const own = queryKeyNorm ? norm(graph, split, `${prefix}self_attn.${part}_norm`, config) : split;
    return rotate(own, cos, sin, heads, headDim);
  };
  return { queries: rotated("q", numAttentionHeads), keys: rotated("k", numKeyValueHeads), values: project("v") };
}

/** What follows attention: both residuals and the feed-forward sublayer. */
export function afterAttention(
  graph: ModelGraph,
  x: Value,
  mixed: Value,
  prefix: string,
  config: DecoderConfig,
): Value {
  const { afterAttention, beforeMlp, afterMlp } = config.norm;
  const normed = (of: Value, name: string | undefined): Value =>
    name === undefined ? of : norm(graph, of, `${prefix}${name}`, config);
  const middle = add(x, normed(linear(graph, mixed, `${prefix}self_attn.o_proj`), afterAttention));
  return add(middle, normed(gatedMlp(graph, normed(middle, beforeMlp), prefix, config.mlp), afterMlp));
}

/**
 * A layer over whole rows: states [T, hiddenSize] to states [T, hiddenSize], with the keys and values that generation
 * goes on from.
 */
export function layer(
  graph: ModelGraph,
  x: Value,
  prefix: string,
  inputs: LayerInputs,
  config: DecoderConfig,
): { states: Value; keys: Value; values: Value } {
  const { numAttentionHeads: heads, numKeyValueHeads, headDim } = config;
  const group = heads / numKeyValueHeads;
  const { queries, keys, values } = queriesKeysValues(graph, x, prefix, inputs, config);
  const [q, k, v] = [
    toHeads(queries, inputs.layout, heads, headDim),
    toHeads(keys, inputs.keyValueLayout, numKeyValueHeads, headDim),
    toHeads(values, inputs.keyValueLayout, numKeyValueHeads, headDim),
  ];
  // Heads of a group stand one behind the other: as rows of one product they share their keys without a copy of them.
  const grouped = (of: Value, last: number | string): Value => reshape(of, ["B", numKeyValueHeads, `${group}*L`, last]);
  const scores = reshape(matmul(grouped(q, headDim), k, { transB: true }), ["B", heads, "L", "L"]);
  const weights = softmax(add(cappedScores(scores, config), inputs.mask));
  const mixed = fromHeads(
    reshape(matmul(grouped(weights, "L"), v), ["B", heads, "L", headDim]),
    inputs.layout,
    queries,
    heads,
    headDim,
  );
  return { states: afterAttention(graph, x, mixed, prefix, config), keys, values };
}
