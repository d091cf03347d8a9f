import type { GraphNode, Value } from "../builder.js";
import { GraphError } from "../errors.js";
import { intAttribute } from "../lower.js";
import { gatherElements, scatterAddElements, scatterAddRows } from "../ops/gather.js";
import { full, transpose } from "../ops/layout.js";
import { type Rule, singleWhole } from "./rule.js";

/** Adds up the rows' gradients in a table of zeros; other axes than the first are brought there and back. */
function gatherGradient(node: GraphNode, dy: Value): Value {
  const [x, indices] = node.inputs as [Value, Value];
  const axis = intAttribute(node, "axis");
  if (axis === 0) return scatterAddRows(full(x.builder, x.shape, 0, x.type), indices, dy);
  const gathered = [...indices.shape.keys()].map((i) => axis + i);
  const others = [...dy.shape.keys()].filter((i) => !gathered.includes(i));
  const table = [x.shape[axis]!, ...x.shape.filter((_, i) => i !== axis)];
  const sums = scatterAddRows(full(x.builder, table, 0, x.type), indices, transpose(dy, [...gathered, ...others]));
  const back = [...x.shape.keys()].map((i) => (i === axis ? 0 : i < axis ? i + 1 : i));
  return transpose(sums, back);
}

function refuseAssignment(node: GraphNode): void {
  const reduction = node.attributes["reduction"];
  if (reduction?.kind !== "string" || reduction.value !== "add")
    throw new GraphError(`${node.op} has a gradient only where it adds`);
}

/** Gradient rules of reading and adding at indices. */
export const gatherRules: Readonly<Record<string, Rule>> = {
  Gather: singleWhole((node, dy) => [gatherGradient(node, dy), undefined]),
  GatherElements: singleWhole((node, dy) => {
    const [x, indices] = node.inputs as [Value, Value];
    return [
      scatterAddElements(full(x.builder, x.shape, 0, x.type), indices, dy, intAttribute(node, "axis")),
      undefined,
    ];
  }),
  ScatterElements: singleWhole((node, dy, needed) => {
    refuseAssignment(node);
    return [dy, undefined, needed[2] ? gatherElements(dy, node.inputs[1]!, intAttribute(node, "axis")) : undefined];
  }),
};
