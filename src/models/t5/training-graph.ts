import { crossEntropy, gather, reduceSum, split, type Value } from "../../graph/index.js";
import { ModelGraph } from "../model-graph.js";
import type { Weights } from "../weights.js";
import { decoderInputs, encoderInputs } from "./batch.js";
import type { T5Config } from "./config.js";
import { crossKeysAndValues, paddedStates, readsStates } from "./cross-attention.js";
import { decoder, logits } from "./decoder.js";
import { encoder } from "./encoder.js";

/** Name of the output that holds the gradient of the embedded tokens, where the embedding's own is made outside. */
export const EMBEDDED_GRADIENT = "embeddedGradient";

export interface TrainingGraphOptions {
  readonly config: T5Config;
  readonly tied: boolean;
  readonly dropout: boolean;
  readonly gradients: boolean;
  /** Whether to leave adding up the embedding's gradient, which has a row for every word, to the caller. */
  readonly embeddingApart: boolean;
  /**
   * Whether cross-attention reads the encoder's states where it may (see {@link readsStates}): better for few target
   * tokens.
   */
  readonly fewTargets: boolean;
}

/**
 * The whole of T5 in one graph, from tokens to the summed loss over the labelled positions (output `loss`, []) and the
 * gradients of `scale` times it. Inputs: `tokens` [A] (encoder's, then decoder's), those of `batch.ts`,
 * `labelPlaces` and `labels` [M], `scale` [].
 */
export function trainingGraph(weights: Weights, options: TrainingGraphOptions): ModelGraph {
  const { config, tied } = options;
  const graph = new ModelGraph(
    options.gradients ? "t5.training" : "t5.loss",
    weights,
    options.dropout && { layered: false, merged: false },
  );
  const rows = encoderInputs(graph, config);
  const own = decoderInputs(graph, "N", "N");
  const table = graph.weight("shared.weight");
  const embedded = gather(table, graph.input("tokens", "int32", ["A"]));
  const [encoderTokens, decoderTokens] = split(embedded, 0, ["T", "B*N"]) as [Value, Value];
  const states = encoder(graph, encoderTokens, rows, config);
  const layers = [...Array(config.numDecoderLayers).keys()];
  const made = layers.filter((layer) => !(options.fewTargets && readsStates(graph, layer)));
  const cross = {
    states: made.length < layers.length ? paddedStates(states, rows.stateLayout) : undefined,
    keyMask: rows.keyMask,
    keysAndValues: new Map(
      made.map((layer) => [layer, crossKeysAndValues(graph, states, layer, rows.layout, config)] as const),
    ),
  };
  const decoded = decoder(graph, decoderTokens, "N", { ...own, cross }, config);
  const labelled = gather(decoded.states, graph.input("labelPlaces", "int32", ["M"]));
  const losses = crossEntropy(logits(graph, labelled, config, tied), graph.input("labels", "int32", ["M"]));
  const loss = reduceSum(losses);
  graph.builder.output("loss", loss);
  if (options.gradients) {
    const scale = graph.input("scale", "float32", []);
    const apart = options.embeddingApart && weights.get("shared.weight").trained;
    const [gradient] = graph.outputGradients(
      loss,
      scale,
      new Set(apart ? ["shared.weight"] : []),
      apart ? [embedded] : [],
    );
    if (gradient) graph.builder.output(EMBEDDED_GRADIENT, gradient);
  }
  return graph;
}
