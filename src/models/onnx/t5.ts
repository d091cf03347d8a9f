import {
  concat,
  type Dimension,
  type GraphBuilder,
  lessOrEqual,
  minimum,
  range,
  reshape,
  sub,
  transpose,
  unsqueeze,
  type Value,
} from "../../graph/index.js";
import { linear } from "../linear.js";
import type { Checkpoint } from "../load.js";
import { ModelGraph } from "../model-graph.js";
import { paddedAttention } from "../packed-attention.js";
import { type T5Config, t5ConfigJson, t5GenerationConfig, t5WeightShapes } from "../t5/config.js";
import { decoder, logits } from "../t5/decoder.js";
import { encoder } from "../t5/encoder.js";
import { t5Stored } from "../t5/load.js";
import { positionBucket } from "../t5/position-bias.js";
import type { Weights } from "../weights.js";
import { distances, freshPlaces, maskWhere, places, present, tabulated } from "./inputs.js";
import type { OnnxPlan } from "./plan.js";
import { tokenRows } from "./stored.js";

const EMBEDDING = "shared.weight";

/** Plans the export of a T5: the encoder, and the decoder with the keys and values of earlier tokens. */
export async function planT5(checkpoint: Checkpoint): Promise<OnnxPlan> {
  const { config, tied, place } = await t5Stored(checkpoint);
  return {
    config: { ...checkpoint.config.json, ...t5ConfigJson(config, tied) },
    floatKeys: checkpoint.config.floatKeys,
    generationConfig: checkpoint.generationConfig ?? t5GenerationConfig(config),
    shapes: t5WeightShapes(config, tied),
    place,
    graphs: (weights) =>
      new Map([
        ["encoder_model", encoderGraph(weights, config)],
        ["decoder_model_merged", decoderGraph(weights, config, tied)],
      ]),
    dimensions: {
      B: "batch_size",
      L: "encoder_sequence_length",
      N: "decoder_sequence_length",
      P: "past_decoder_sequence_length",
      E: "past_encoder_sequence_length",
      S: "total_decoder_sequence_length",
    },
  };
}

/** The encoder over B rows of L places, padding among them. */
function encoderGraph(weights: Weights, config: T5Config): GraphBuilder {
  const graph = new ModelGraph("t5.encoder", weights);
  const { builder } = graph;
  const ids = graph.input("input_ids", "int64", ["B", "L"]);
  const mask = graph.input("attention_mask", "int64", ["B", "L"]);
  const all = range(builder, "L");
  const { relativeAttentionMaxDistance: most } = config;
  const inputs = {
    attend: paddedAttention,
    buckets: tabulated(distances(all, all), -most, most, (distance) => positionBucket(0, distance, true, config)),
    keyMask: maskWhere(present(mask)),
  };
  const states = encoder(graph, tokenRows(graph, EMBEDDING, reshape(ids, ["B*L"])), inputs, config);
  builder.output("last_hidden_state", reshape(states, ["B", "L", config.dModel]));
  return builder;
}

/**
 * The decoder over N new tokens of B rows after P earlier ones. Keys and values of the encoder's states are made where
 * there are none yet (E is 0), and given back as they are where there are.
 */
function decoderGraph(weights: Weights, config: T5Config, tied: boolean): GraphBuilder {
  const { numHeads: heads, dKv: headWidth, dModel: width, numDecoderLayers: decoderLayers, vocabSize } = config;
  const graph = new ModelGraph("t5.decoder", weights);
  const { builder } = graph;
  const mask = graph.input("encoder_attention_mask", "int64", ["B", "L"]);
  const ids = graph.input("input_ids", "int64", ["B", "N"]);
  const states = graph.input("encoder_hidden_states", "float32", ["B", "L", width]);
  const given = Array.from({ length: decoderLayers }, (_, layer) => {
    const pair = (side: string, dimension: Dimension): [Value, Value] =>
      ["key", "value"].map((part) =>
        graph.input(`past_key_values.${layer}.${side}.${part}`, "float32", ["B", heads, dimension, headWidth]),
      ) as [Value, Value];
    return { decoder: pair("decoder", "P"), encoder: pair("encoder", "E") };
  });
  const fresh = freshStates(states);
  const cross = given.map(({ encoder }, layer) =>
    encoder.map((past, part) => {
      const name = `decoder.block.${layer}.layer.1.EncDecAttention.${part === 0 ? "k" : "v"}`;
      const own = linear(graph, reshape(fresh, ["B*R", width]), name);
      const byHead = transpose(reshape(own, ["B", "R", heads, headWidth]), [0, 2, 1, 3]);
      return upTo(concat([past, byHead], 2, "E+R"), "L");
    }),
  ) as [Value, Value][];
  const [queries, keys] = [freshPlaces(builder, "P", "N"), places(builder, "P", "N", "S")];
  const { relativeAttentionMaxDistance: most } = config;
  const decoded = decoder(
    graph,
    tokenRows(graph, EMBEDDING, reshape(ids, ["B*N"])),
    "N",
    {
      buckets: tabulated(distances(queries, keys), -most, 0, (distance) => positionBucket(0, distance, false, config)),
      causalMask: maskWhere(lessOrEqual(unsqueeze(keys, [0]), unsqueeze(queries, [1]))),
      cross: { keyMask: maskWhere(present(mask)), keysAndValues: new Map(cross.entries()) },
      past: given.map((one) => one.decoder),
    },
    config,
  );
  builder.output("logits", reshape(logits(graph, decoded.states, config, tied), ["B", "N", vocabSize]));
  for (let layer = 0; layer < decoderLayers; layer++)
    for (const [side, pair] of [
      ["decoder", decoded.present[layer]!],
      ["encoder", cross[layer]!],
    ] as const)
      pair.forEach((value, part) => builder.output(`present.${layer}.${side}.${part === 0 ? "key" : "value"}`, value));
  return builder;
}

/**
 * The states whose keys and values are not there yet, R of them: from place E on, but at least the last, since
 * operators on no rows are not to be relied on.
 */
function freshStates(states: Value): Value {
  const { builder } = states;
  const from = minimum(builder.dimension("E"), sub(builder.dimension("L"), 1));
  const inputs = [states, from, builder.int64([Number.MAX_SAFE_INTEGER]), builder.int64([1])];
  const fresh = builder.one("Slice", inputs, "float32", ["B", "R", states.dimension(2)]);
  builder.bind("R", fresh, 1);
  return fresh;
}

/** The first so many places of keys or values [B, heads, places, headWidth]. */
function upTo(x: Value, count: string): Value {
  const { builder } = x;
  const inputs = [x, builder.int64([0]), builder.dimension(count), builder.int64([2])];
  return builder.one(
    "Slice",
    inputs,
    "float32",
    x.shape.map((dimension, axis) => (axis === 2 ? count : dimension)),
  );
}
