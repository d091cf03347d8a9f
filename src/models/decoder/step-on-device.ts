import {
  add,
  concat,
  equal,
  full,
  GraphBuilder,
  gather,
  greater,
  lessOrEqual,
  matmul,
  reshape,
  softmax,
  transpose,
  type Value,
  where,
} from "../../graph/index.js";
import { ModelGraph } from "../model-graph.js";
import { MASKED } from "../packing.js";
import type { Weights } from "../weights.js";
import type { DecoderConfig, LayerType } from "./config.js";
import { afterAttention, cappedScores, queriesKeysValues } from "./layer.js";
import { layerPrefix } from "./weight-shapes.js";

/* Graphs of generation on a device. A cache is float32 [B, numKeyValueHeads, S, headDim]: S places for each row. */

/** Places that caches grow by. */
export const ROOM = 32;

/** Farther than any two places are apart, and no int32 overflows by it. */
const FAR = 2 ** 30;

/**
 * What all layers read for one token more of each row, from `lengths` [B], the token's place in its row: `own` [B, 1,
 * S, 1] with 1 at that place, for each type of layer `mask/<type>` [B, 1, 1, S], `cos/<type>` and `sin/<type>`
 * [B, 1, headDim / 2] from tables of all places (`…/table`); and the lengths of the token after it, `next`.
 */
export function tokenGraph({ headDim, slidingWindow }: DecoderConfig, types: Iterable<LayerType>): GraphBuilder {
  const graph = new GraphBuilder("decoder.token");
  const lengths = graph.input("lengths", "int32", ["B"]);
  const length = reshape(lengths, ["B", 1]);
  const places = reshape(graph.input("places", "int32", ["S"]), [1, "S"]);
  const [zero, one] = [graph.scalar(0, "float32"), graph.scalar(1, "float32")];
  const upTo = where(lessOrEqual(places, length), zero, MASKED);
  const window = Math.min(slidingWindow ?? FAR, FAR);
  for (const type of types) {
    for (const part of ["cos", "sin"])
      graph.output(
        `${part}/${type}`,
        gather(graph.input(`${part}/${type}/table`, "float32", ["S", 1, headDim / 2]), lengths),
      );
    const mask = type === "full_attention" ? upTo : where(greater(add(places, window), length), upTo, MASKED);
    graph.output(`mask/${type}`, reshape(mask, ["B", 1, 1, "S"]));
  }
  graph.output("own", reshape(where(equal(places, length), one, 0), ["B", 1, "S", 1]));
  graph.output("next", add(lengths, 1));
  return graph;
}

/** One token of each row B through a layer: its key and value stand in the caches that are given back. */
export function stepGraph(weights: Weights, config: DecoderConfig, index: number): ModelGraph {
  const { numAttentionHeads: heads, numKeyValueHeads, headDim, hiddenSize } = config;
  const graph = new ModelGraph("decoder.step", weights);
  const states = graph.input("states", "float32", ["B", hiddenSize]);
  const angles = {
    cos: graph.input("cos", "float32", ["B", 1, headDim / 2]),
    sin: graph.input("sin", "float32", ["B", 1, headDim / 2]),
  };
  const mask = graph.input("mask", "float32", ["B", 1, 1, "S"]);
  const isOwn = greater(graph.input("own", "float32", ["B", 1, "S", 1]), 0.5);
  const prefix = layerPrefix(config, index);
  const { queries, keys, values } = queriesKeysValues(graph, states, prefix, angles, config);
  const withOwn = (name: string, own: Value): Value => {
    const cache = graph.input(`${name}/before`, "float32", ["B", numKeyValueHeads, "S", headDim]);
    const filled = where(isOwn, reshape(own, ["B", numKeyValueHeads, 1, headDim]), cache);
    graph.builder.output(name, filled);
    return filled;
  };
  const [keyCache, valueCache] = [withOwn("keys", keys), withOwn("values", values)];
  const q = reshape(queries, ["B", numKeyValueHeads, heads / numKeyValueHeads, headDim]);
  const attention = softmax(add(cappedScores(matmul(q, keyCache, { transB: true }), config), mask));
  const mixed = reshape(matmul(attention, valueCache), ["B", heads * headDim]);
  graph.builder.output("output", afterAttention(graph, states, mixed, prefix, config));
  return graph;
}

/** From keys and values of packed tokens [T, numKeyValueHeads · headDim] to caches, by the token of each place [B, S]. */
export function cacheGraph({ numKeyValueHeads, headDim }: DecoderConfig): GraphBuilder {
  const graph = new GraphBuilder("decoder.cache");
  const places = graph.input("places", "int32", ["B", "S"]);
  for (const name of ["keys", "values"]) {
    const rows = gather(graph.input(`${name}/packed`, "float32", ["T", numKeyValueHeads * headDim]), places);
    graph.output(name, transpose(reshape(rows, ["B", "S", numKeyValueHeads, headDim]), [0, 2, 1, 3]));
  }
  return graph;
}

/** Caches with {@link ROOM} places more. */
export function growGraph({ numKeyValueHeads, headDim }: DecoderConfig): GraphBuilder {
  const graph = new GraphBuilder("decoder.grow");
  for (const name of ["keys", "values"]) {
    const cache = graph.input(`${name}/before`, "float32", ["B", numKeyValueHeads, "S", headDim]);
    graph.output(name, concat([cache, full(graph, ["B", numKeyValueHeads, ROOM, headDim], 0, "float32")], 2, "S1"));
  }
  return graph;
}

/** `first` and `second` one behind the other, whose axes after the first are these. */
export function joinGraph(rest: readonly (number | string)[]): GraphBuilder {
  const graph = new GraphBuilder("decoder.join");
  const [first, second] = [["first", "A"] as const, ["second", "B"] as const].map(([name, rows]) =>
    graph.input(name, "float32", [rows, ...rest]),
  ) as [Value, Value];
  graph.output("both", concat([first, second], 0, "C"));
  return graph;
}

/** The states [B, hiddenSize] at some places of packed tokens. */
export function endsGraph({ hiddenSize }: DecoderConfig): GraphBuilder {
  const graph = new GraphBuilder("decoder.ends");
  graph.output(
    "ends",
    gather(graph.input("states", "float32", ["T", hiddenSize]), graph.input("places", "int32", ["B"])),
  );
  return graph;
}
