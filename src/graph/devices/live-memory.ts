import type { GraphNode, Value } from "../builder.js";
import type { LoweredGraph } from "../lower.js";
import { elementCount } from "../shape.js";
import { bytesOf } from "../types.js";
import { type Sizes, shapeIn } from "./sizes.js";

/** Operators whose output is their input's own memory. */
const SAME_MEMORY = new Set(["Reshape", "Squeeze", "Unsqueeze", "Identity"]);

/**
 * The most bytes that a run's own values take at once, outputs included and inputs not: each lives from the node that
 * makes it to the last that reads it, and an elementwise node writes where its input ends. A device takes at least so
 * much; how it rounds and keeps buffers comes on top.
 */
export function liveBytes({ nodes, outputs }: LoweredGraph, sizes: Sizes): number {
  const memory = new Map<string, string>();
  const rootOf = (value: Value): string => memory.get(value.name) ?? value.name;
  for (const node of nodes)
    if (SAME_MEMORY.has(node.op) && node.inputs[0]) memory.set(node.outputs[0]!.name, rootOf(node.inputs[0]));
  const lastRead = new Map<string, number>();
  nodes.forEach(({ inputs }, at) => {
    for (const input of inputs) if (input) lastRead.set(rootOf(input), at);
  });
  for (const output of outputs.values()) lastRead.set(rootOf(output), nodes.length);
  const live = new Map<string, number>();
  let [now, most] = [0, 0];
  const free = (node: GraphNode, at: number): void => {
    for (const input of node.inputs) {
      const root = input && rootOf(input);
      if (!root || lastRead.get(root) !== at) continue;
      now -= live.get(root) ?? 0;
      live.delete(root);
    }
  };
  nodes.forEach((node, at) => {
    const inPlace = node.operation?.memory === "elementwise";
    if (inPlace) free(node, at);
    for (const output of node.outputs) {
      if (rootOf(output) !== output.name || !lastRead.has(output.name)) continue;
      const shape = shapeIn(output.shape, sizes);
      const bytes = shape ? elementCount(shape) * bytesOf(output.type) : 0;
      live.set(output.name, bytes);
      now += bytes;
    }
    most = Math.max(most, now);
    if (!inPlace) free(node, at);
  });
  return most;
}
