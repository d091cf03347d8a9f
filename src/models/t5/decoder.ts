import { add, concat, matmul, mul, reshape, softmax, transpose, type Value } from "../../graph/index.js";
import { linear } from "../linear.js";
import type { ModelGraph } from "../model-graph.js";
import type { T5Config } from "./config.js";
import { type CrossSource, crossAttention } from "./cross-attention.js";
import { feedForward, norm, relativeBias, residual } from "./layers.js";

/** What the decoder reads beside its embedded tokens; B rows of N new tokens after P earlier ones, S = P + N. */
export interface DecoderInputs {
  /** int32 [N, S] */
  readonly buckets: Value;
  /** float32 [N, S]: 0 where a query may look, {@link MASKED} at later keys. */
  readonly causalMask: Value;
  readonly cross: CrossSource;
  /** Keys and values of the earlier tokens by layer, [B, heads, P, headWidth] each; absent where there are none. */
  readonly past?: readonly (readonly [Value, Value])[];
}

export interface DecoderOutputs {
  /** [B·N, width], normed: what the output layer reads. */
  readonly states: Value;
  /** Keys and values of all tokens by layer, [B, heads, S, headWidth] each. */
  readonly present: readonly (readonly [Value, Value])[];
}

/** The decoder over `queries` (N) tokens of each of B rows: embedded tokens [B·N, width]. */
export function decoder(
  graph: ModelGraph,
  embedded: Value,
  queries: number | string,
  inputs: DecoderInputs,
  config: T5Config,
): DecoderOutputs {
  const { numHeads: heads, dKv: headWidth } = config;
  const rows = embedded.dimension(0);
  const bias = add(relativeBias(graph, "decoder", inputs.buckets), inputs.causalMask);
  const present: (readonly [Value, Value])[] = [];
  let x = graph.dropout(embedded, config.dropoutRate, "decoder.embedding");
  for (let i = 0; i < config.numDecoderLayers; i++) {
    const block = `decoder.block.${i}.layer`;
    const attention = `${block}.0.SelfAttention`;
    const normed = norm(graph, x, `${block}.0.layer_norm`, config);
    const [q, newKeys, newValues] = ["q", "k", "v"].map((part) =>
      transpose(reshape(linear(graph, normed, `${attention}.${part}`), ["B", queries, heads, headWidth]), [0, 2, 1, 3]),
    ) as [Value, Value, Value];
    const past = inputs.past?.[i];
    const keys = past ? concat([past[0], newKeys], 2, "S") : newKeys;
    const values = past ? concat([past[1], newValues], 2, "S") : newValues;
    present.push([keys, values]);
    const weights = graph.dropout(
      softmax(add(matmul(q, keys, { transB: true }), bias)),
      config.dropoutRate,
      `${attention}.weights`,
    );
    const mixed = reshape(transpose(matmul(weights, values), [0, 2, 1, 3]), [rows, heads * headWidth]);
    x = residual(graph, x, linear(graph, mixed, `${attention}.o`), config, `${block}.0.dropout`);
    const crossed = crossAttention(
      graph,
      norm(graph, x, `${block}.1.layer_norm`, config),
      i,
      inputs.cross,
      queries,
      config,
    );
    x = residual(graph, x, linear(graph, crossed, `${block}.1.EncDecAttention.o`), config, `${block}.1.dropout`);
    x = feedForward(graph, x, `${block}.2`, config);
  }
  return {
    states: graph.dropout(norm(graph, x, "decoder.final_layer_norm", config), config.dropoutRate, "decoder.dropout"),
    present,
  };
}

/** Logits [n, vocabulary] of decoder states [n, width]. */
export function logits(graph: ModelGraph, states: Value, config: T5Config, tied: boolean): Value {
  const scaled = config.scaleDecoderOutputs ? mul(states, config.dModel ** -0.5) : states;
  return linear(graph, scaled, tied ? "shared" : "lm_head");
}
