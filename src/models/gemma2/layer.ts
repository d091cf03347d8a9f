import { add, geluTanh, matmul, mul, reshape, rmsNorm, softcap, softmax, type Value } from "../../graph/index.js";
import { linear } from "../linear.js";
import type { ModelGraph } from "../model-graph.js";
import { fromHeads, type PackedLayout, toHeads } from "../packed-attention.js";
import type { Gemma2Config } from "./config.js";
import { rotate } from "./rotary.js";

/** What a layer reads beside its states; B rows, T tokens in all, the longest row L. */
export interface LayerInputs {
  readonly layout: PackedLayout;
  readonly keyValueLayout: PackedLayout;
  /** float32 [T, 1, headWidth / 2] */
  readonly cos: Value;
  readonly sin: Value;
  /** float32 [L, L]: added to the scores; keys that are later, or outside the window, vanish. */
  readonly mask: Value;
}

/** Gemma's norm, whose weight is stored less one. */
export function norm(graph: ModelGraph, x: Value, layer: string, config: Gemma2Config): Value {
  return rmsNorm(x, add(graph.weight(`${layer}.weight`), 1), config.epsilon);
}

/** Scores as they go into softmax: scaled, capped. */
export function cappedScores(scores: Value, config: Gemma2Config): Value {
  const scaled = mul(scores, config.queryScalar ** -0.5);
  return config.attentionCap === null ? scaled : softcap(scaled, config.attentionCap);
}

/** Queries, keys and values of packed tokens, turned by their positions: [T, heads · headWidth], the latter two with fewer heads. */
export function queriesKeysValues(
  graph: ModelGraph,
  x: Value,
  prefix: string,
  { cos, sin }: Pick<LayerInputs, "cos" | "sin">,
  config: Gemma2Config,
): { queries: Value; keys: Value; values: Value } {
  const normed = norm(graph, x, `${prefix}input_layernorm`, config);
  const project = (part: string): Value => linear(graph, normed, `${prefix}self_attn.${part}`);
  return {
    queries: rotate(project("q_proj"), cos, sin, config.heads, config.headWidth),
    keys: rotate(project("k_proj"), cos, sin, config.keyValueHeads, config.headWidth),
    values: project("v_proj"),
  };
}

/** What follows attention: both residuals and the feed-forward sublayer. */
export function afterAttention(graph: ModelGraph, x: Value, mixed: Value, prefix: string, config: Gemma2Config): Value {
  const attended = norm(
    graph,
    linear(graph, mixed, `${prefix}self_attn.o_proj`),
    `${prefix}post_attention_layernorm`,
    config,
  );
  const middle = add(x, attended);
  const normed = norm(graph, middle, `${prefix}pre_feedforward_layernorm`, config);
  const inner = mul(
    geluTanh(linear(graph, normed, `${prefix}mlp.gate_proj`)),
    linear(graph, normed, `${prefix}mlp.up_proj`),
  );
  return add(
    middle,
    norm(graph, linear(graph, inner, `${prefix}mlp.down_proj`), `${prefix}post_feedforward_layernorm`, config),
  );
}

/** A layer over whole rows: states [T, width] to states [T, width], with the keys and values that generation goes on from. */
export function layer(
  graph: ModelGraph,
  x: Value,
  prefix: string,
  inputs: LayerInputs,
  config: Gemma2Config,
): { states: Value; keys: Value; values: Value } {
  const { heads, keyValueHeads, headWidth } = config;
  const group = heads / keyValueHeads;
  const { queries, keys, values } = queriesKeysValues(graph, x, prefix, inputs, config);
  const [q, k, v] = [
    toHeads(queries, inputs.layout, heads, headWidth),
    toHeads(keys, inputs.keyValueLayout, keyValueHeads, headWidth),
    toHeads(values, inputs.keyValueLayout, keyValueHeads, headWidth),
  ];
  // Heads of a group stand one behind the other: as rows of one product they share their keys without a copy of them.
  const grouped = (of: Value, last: number | string): Value => reshape(of, ["B", keyValueHeads, `${group}*L`, last]);
  const scores = reshape(matmul(grouped(q, headWidth), k, { transB: true }), ["B", heads, "L", "L"]);
  const weights = softmax(add(cappedScores(scores, config), inputs.mask));
  const mixed = fromHeads(
    reshape(matmul(grouped(weights, "L"), v), ["B", heads, "L", headWidth]),
    inputs.layout,
    queries,
    heads,
    headWidth,
  );
  return { states: afterAttention(graph, x, mixed, prefix, config), keys, values };
}
