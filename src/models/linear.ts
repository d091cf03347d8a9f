import { add, matmul, type Value } from "../graph/index.js";
import type { ModelGraph } from "./model-graph.js";

/**
 * A linear layer: [..., inputs] → [..., outputs], by the weight `<layer>.weight` of shape [outputs, inputs], float32 or
 * stored (quantized), plus `<layer>.bias` and its adapter's part where it has them.
 */
export function linear(graph: ModelGraph, x: Value, layer: string): Value {
  const name = `${layer}.weight`;
  const stored = graph.weights.storedWeight(name);
  const product = stored ? stored.product(graph.stored(name)!, x) : matmul(x, graph.weight(name), { transB: true });
  const base = graph.weights.has(`${layer}.bias`) ? add(product, graph.weight(`${layer}.bias`)) : product;
  const adapter = graph.weights.adapter(layer);
  if (!adapter) return base;
  const dropped = graph.dropout(x, adapter.dropout, `${layer}.adapter`);
  const low = matmul(dropped, graph.weight(adapter.a.name), { transB: true });
  return add(base, matmul(low, graph.weight(adapter.b.name), { transB: true, alpha: adapter.scaling }));
}

/**
 * Whether a layer is a float32 matrix and nothing else, so that its weight may be used in other ways than by {@link
 * linear}.
 */
export function isPlain(graph: ModelGraph, layer: string): boolean {
  return graph.weights.storedWeight(`${layer}.weight`) === undefined && graph.weights.adapter(layer) === undefined;
}
