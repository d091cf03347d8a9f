import { geluTanh, mul, silu, type Value } from "../../graph/index.js";
import { linear } from "../linear.js";
import type { ModelGraph } from "../model-graph.js";
import type { GatedMlp } from "./description.js";

/** Activations of feed-forward layers: config.json's key and name for each. */
export const GATED_MLPS = {
  "silu-gated": { key: "hidden_act", name: "silu", activation: silu },
  "gelu-tanh-gated": { key: "hidden_activation", name: "gelu_pytorch_tanh", activation: geluTanh },
} as const satisfies Record<GatedMlp, unknown>;

/** down(activation(gate x) · up x): [T, hiddenSize] each way. */
export function gatedMlp(graph: ModelGraph, x: Value, prefix: string, kind: GatedMlp): Value {
  const { activation } = GATED_MLPS[kind];
  const inner = mul(activation(linear(graph, x, `${prefix}mlp.gate_proj`)), linear(graph, x, `${prefix}mlp.up_proj`));
  return linear(graph, inner, `${prefix}mlp.down_proj`);
}
