import { add, gather, geluTanh, mul, relu, rmsNorm, transpose, unsqueeze, type Value } from "../../graph/index.js";
import { linear } from "../linear.js";
import type { ModelGraph } from "../model-graph.js";
import type { T5Config } from "./config.js";

/** T5's norm by the weight `<layer>.weight`. */
export function norm(graph: ModelGraph, x: Value, layer: string, config: T5Config): Value {
  return rmsNorm(x, graph.weight(`${layer}.weight`), config.layerNormEpsilon);
}

/** x plus dropout of what a sublayer made of it. */
export function residual(graph: ModelGraph, x: Value, change: Value, config: T5Config, site: string): Value {
  return add(x, graph.dropout(change, config.dropoutRate, site));
}

/** The feed-forward sublayer, its norm and residual included: `block` is `encoder.block.0.layer.1`, say. */
export function feedForward(graph: ModelGraph, x: Value, block: string, config: T5Config): Value {
  const dense = `${block}.DenseReluDense`;
  const normed = norm(graph, x, `${block}.layer_norm`, config);
  const inner =
    config.feedForwardProj === "gated-gelu"
      ? mul(geluTanh(linear(graph, normed, `${dense}.wi_0`)), linear(graph, normed, `${dense}.wi_1`))
      : relu(linear(graph, normed, `${dense}.wi`));
  const out = linear(graph, graph.dropout(inner, config.dropoutRate, `${dense}.dropout`), `${dense}.wo`);
  return residual(graph, x, out, config, `${block}.dropout`);
}

/**
 * A stack's relative position bias, shared by its layers: [1, heads, queries, keys] from buckets [queries, keys].
 */
export function relativeBias(graph: ModelGraph, side: "encoder" | "decoder", buckets: Value): Value {
  const table = graph.weight(`${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`);
  return unsqueeze(transpose(gather(table, buckets), [2, 0, 1]), [0]);
}
