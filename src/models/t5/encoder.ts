import { add, type Value } from "../../graph/index.js";
import { linear } from "../linear.js";
import type { ModelGraph } from "../model-graph.js";
import type { AttentionOptions } from "../packed-attention.js";
import type { T5Config } from "./config.js";
import { feedForward, norm, relativeBias, residual } from "./layers.js";

/** What the encoder reads beside its embedded tokens; B rows, T tokens in all, the longest row L. */
export interface EncoderInputs {
  /** Attention of the rows to themselves: [T, heads · headWidth] each way. */
  readonly attend: (graph: ModelGraph, q: Value, k: Value, v: Value, options: AttentionOptions) => Value;
  /** Whole numbers [L, L] */
  readonly buckets: Value;
  /** float32 [B, 1, 1, L]: added to the scores of keys. */
  readonly keyMask: Value;
}

/** The encoder: embedded tokens [T, width] to states [T, width]. */
export function encoder(graph: ModelGraph, embedded: Value, inputs: EncoderInputs, config: T5Config): Value {
  // One sum for all layers: each then adds it in one pass.
  const bias = add(relativeBias(graph, "encoder", inputs.buckets), inputs.keyMask);
  let x = graph.dropout(embedded, config.dropoutRate, "encoder.embedding");
  for (let i = 0; i < config.numLayers; i++) {
    const block = `encoder.block.${i}.layer`;
    const attention = `${block}.0.SelfAttention`;
    const normed = norm(graph, x, `${block}.0.layer_norm`, config);
    const [q, k, v] = ["q", "k", "v"].map((part) => linear(graph, normed, `${attention}.${part}`)) as [
      Value,
      Value,
      Value,
    ];
    const options = {
      heads: config.numHeads,
      headWidth: config.dKv,
      bias,
      dropout: config.dropoutRate,
      site: `${attention}.weights`,
    };
    const mixed = inputs.attend(graph, q, k, v, options);
    x = residual(graph, x, linear(graph, mixed, `${attention}.o`), config, `${block}.0.dropout`);
    x = feedForward(graph, x, `${block}.1`, config);
  }
  return graph.dropout(norm(graph, x, "encoder.final_layer_norm", config), config.dropoutRate, "encoder.dropout");
}
