import {
  add,
  and,
  cast,
  concat,
  cos,
  type Dimension,
  type GraphBuilder,
  greater,
  lessOrEqual,
  matmul,
  mul,
  neg,
  reshape,
  sin,
  softcap,
  softmax,
  split,
  sub,
  transpose,
  unsqueeze,
  type Value,
} from "../../graph/index.js";
import type { DecoderConfig, LayerType } from "../decoder/config.js";
import { parseDecoderConfig } from "../decoder/config.js";
import { decoderConfigJson, decoderGenerationConfig, FLOAT_KEYS } from "../decoder/config-json.js";
import type { DecoderDescription } from "../decoder/description.js";
import { afterAttention, cappedScores, norm, queriesKeysValues } from "../decoder/layer.js";
import { isTied } from "../decoder/load.js";
import { ropeFrequencies } from "../decoder/rope.js";
import { storedNames } from "../decoder/stored-names.js";
import { textConfig } from "../decoder/text-config.js";
import { decoderWeightShapes, embeddingName, finalNorm, layerPrefix, OUTPUT } from "../decoder/weight-shapes.js";
import { linear } from "../linear.js";
import type { Checkpoint } from "../load.js";
import { ModelGraph } from "../model-graph.js";
import type { Weights } from "../weights.js";
import { freshPlaces, maskWhere, places, present } from "./inputs.js";
import type { OnnxPlan } from "./plan.js";
import { tokenRows } from "./stored.js";

/** Plans the export of a decoder-only model: one graph, with the keys and values of earlier tokens. */
export async function planDecoder(description: DecoderDescription, checkpoint: Checkpoint): Promise<OnnxPlan> {
  const { weights } = checkpoint;
  const parsed = parseDecoderConfig(checkpoint.config, description);
  const place = storedNames(weights, decoderWeightShapes(parsed).keys(), description);
  const config = { ...parsed, tieWordEmbeddings: await isTied(parsed, weights, place) };
  const shapes = decoderWeightShapes(config);
  for (const [name, shape] of shapes) weights.entry(place(name), shape);
  const { json } = textConfig(checkpoint.config, description);
  return {
    config: { ...json, ...decoderConfigJson(config, description) },
    floatKeys: new Set([...checkpoint.config.floatKeys, ...FLOAT_KEYS]),
    generationConfig: checkpoint.generationConfig ?? decoderGenerationConfig(config),
    shapes,
    place,
    graphs: (own) => new Map([["model", decoderGraph(own, config)]]),
    dimensions: { B: "batch_size", S: "sequence_length", P: "past_sequence_length", A: "total_sequence_length" },
  };
}

/** B rows of S new tokens after P earlier ones, A in all. */
const TOKENS = "B*S";

/**
 * A decoder-only model as transformers.js asks it: `input_ids` and `attention_mask` (1 at tokens, 0 at padding on any
 * side), keys and values of earlier tokens, and how many of the last tokens' logits are wanted (0 for all).
 */
export function decoderGraph(weights: Weights, config: DecoderConfig): GraphBuilder {
  const { hiddenSize, numHiddenLayers, vocabSize, tieWordEmbeddings, finalLogitSoftcapping } = config;
  const graph = new ModelGraph("decoder", weights);
  const ids = graph.input("input_ids", "int64", ["B", "S"]);
  const attention = graph.input("attention_mask", "int64", ["B", "A"]);
  const past = Array.from({ length: numHiddenLayers }, (_, layer) =>
    ["key", "value"].map((part) =>
      graph.input(`past_key_values.${layer}.${part}`, "float32", ["B", config.numKeyValueHeads, "P", config.headDim]),
    ),
  ) as [Value, Value][];
  const wanted = graph.input("num_logits_to_keep", "int64", []);
  const embedded = tokenRows(graph, embeddingName(config), reshape(ids, [TOKENS]));
  const ofType = layerInputs(graph.builder, attention, config);
  let x = config.scaledEmbedding ? mul(embedded, Math.fround(Math.sqrt(hiddenSize))) : embedded;
  for (let layer = 0; layer < numHiddenLayers; layer++) {
    const made = decoderLayer(graph, x, layer, past[layer]!, ofType[config.layerTypes[layer]!], config);
    x = made.states;
    graph.builder.output(`present.${layer}.key`, made.keys);
    graph.builder.output(`present.${layer}.value`, made.values);
  }
  const states = lastOf(reshape(x, ["B", "S", hiddenSize]), wanted);
  const flat = reshape(states, ["B*K", hiddenSize]);
  const table = (tieWordEmbeddings ? embeddingName(config) : OUTPUT).replace(/\.weight$/, "");
  const raw = linear(graph, norm(graph, flat, finalNorm(config), config), table);
  const capped = finalLogitSoftcapping === null ? raw : softcap(raw, finalLogitSoftcapping);
  graph.builder.output("logits", reshape(capped, ["B", "K", vocabSize]));
  return graph.builder;
}

interface LayerInputs {
  /** float32 [T, 1, headDim / 2] */
  readonly cos: Value;
  readonly sin: Value;
  /** float32 [B, 1, S, A] */
  readonly mask: Value;
}

/** What the layers of each type read: positions count the tokens that are there, so that padding on the left is none. */
function layerInputs(builder: GraphBuilder, attention: Value, config: DecoderConfig): Record<LayerType, LayerInputs> {
  const { headDim, ropeParameters: rope, slidingWindow } = config;
  const counted = builder.one("CumSum", [attention, builder.scalar(1, "int64")], "int64", attention.shape);
  const positions = split(sub(counted, 1), 1, ["P", "S"])[1]!;
  const turns = reshape(cast(positions, "float32"), [TOKENS, 1]);
  const rotation = (type: LayerType): Pick<LayerInputs, "cos" | "sin"> => {
    const angles = mul(turns, builder.constant(ropeFrequencies(headDim, rope[type]), [1, headDim / 2]));
    const shape: Dimension[] = [TOKENS, 1, headDim / 2];
    return { cos: reshape(cos(angles), shape), sin: reshape(sin(angles), shape) };
  };
  const [queries, keys] = [
    unsqueeze(freshPlaces(builder, "P", "S"), [1]),
    unsqueeze(places(builder, "P", "S", "A"), [0]),
  ];
  const earlier = lessOrEqual(keys, queries);
  const mask = (visible: Value): Value => maskWhere(and(unsqueeze(visible, [0, 1]), present(attention)));
  const full = { ...rotation("full_attention"), mask: mask(earlier) };
  if (!config.layerTypes.includes("sliding_attention")) return { full_attention: full, sliding_attention: full };
  return {
    full_attention: full,
    sliding_attention: {
      ...(rope.sliding_attention === rope.full_attention ? full : rotation("sliding_attention")),
      mask: slidingWindow === null ? full.mask : mask(and(earlier, greater(keys, sub(queries, slidingWindow)))),
    },
  };
}

/** A layer over the new tokens [T, hiddenSize], which read the earlier ones' keys and values too. */
function decoderLayer(
  graph: ModelGraph,
  x: Value,
  layer: number,
  past: readonly [Value, Value],
  { cos, sin, mask }: LayerInputs,
  config: DecoderConfig,
): { states: Value; keys: Value; values: Value } {
  const { numAttentionHeads: heads, numKeyValueHeads, headDim } = config;
  const group = heads / numKeyValueHeads;
  const prefix = layerPrefix(config, layer);
  const made = queriesKeysValues(graph, x, prefix, { cos, sin }, config);
  const [keys, values] = ([made.keys, made.values] as const).map((own, part) => {
    const byHead = transpose(reshape(own, ["B", "S", numKeyValueHeads, headDim]), [0, 2, 1, 3]);
    return concat([past[part]!, byHead], 2, "A");
  }) as [Value, Value];
  const queries = transpose(reshape(made.queries, ["B", "S", numKeyValueHeads, group, headDim]), [0, 2, 3, 1, 4]);
  // Heads of a group stand one behind the other: as rows of one product they share their keys without a copy of them.
  const grouped = (of: Value, last: Dimension): Value => reshape(of, ["B", numKeyValueHeads, `${group}*S`, last]);
  const scores = reshape(matmul(grouped(queries, headDim), keys, { transB: true }), ["B", heads, "S", "A"]);
  const weights = softmax(add(cappedScores(scores, config), mask));
  const mixed = reshape(matmul(grouped(weights, "A"), values), ["B", numKeyValueHeads, group, "S", headDim]);
  const states = reshape(transpose(mixed, [0, 3, 1, 2, 4]), [TOKENS, heads * headDim]);
  return { states: afterAttention(graph, x, states, prefix, config), keys, values };
}

/** The states of the last so many tokens, [B, K, hiddenSize]; all of them for 0. */
function lastOf(states: Value, wanted: Value): Value {
  const { builder } = states;
  const shape: Dimension[] = [states.dimension(0), "K", states.dimension(2)];
  // From −0 on is from the start on.
  const inputs = [states, reshape(neg(wanted), [1]), builder.int64([Number.MAX_SAFE_INTEGER]), builder.int64([1])];
  const last = builder.one("Slice", inputs, "float32", shape);
  builder.bind("K", last, 1);
  return last;
}
