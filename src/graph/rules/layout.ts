import type { GraphBuilder, GraphNode, Value } from "../builder.js";
import { GraphError } from "../errors.js";
import { intAttribute } from "../lower.js";
import { concat, full, reshape, split, squeeze, transpose, unsqueeze } from "../ops/layout.js";
import type { Dimension } from "../shape.js";
import { asScalar, isUniform, type Rule, single, singleWhole, sumTo, whole } from "./rule.js";

/** The whole numbers in a constant input. */
export function constantInts(node: GraphNode, input: number): number[] {
  const constant = node.inputs[input]?.constant;
  if (!constant) throw new GraphError(`${node.op}: its input ${input} is not a constant`);
  return Array.from(constant as BigInt64Array, Number);
}

/** A rule for an operation that only moves elements: where all gradients are alike there is nothing to move. */
function moving(move: (node: GraphNode, dy: Value) => Value): Rule {
  return single((node, dy) => [isUniform(dy) ? asScalar(dy) : move(node, whole(dy, node.outputs[0]!.shape))]);
}

const padded: Rule = singleWhole((node, dy) => {
  const x = node.inputs[0]!;
  const [start, end, axis] = [constantInts(node, 1)[0]!, constantInts(node, 2)[0]!, constantInts(node, 3)[0]!];
  const builder = x.builder;
  const size = x.shape[axis]!;
  const length = dy.shape[axis]!;
  const zeros = (count: number): Value => builder.int64(new Array<number>(count).fill(0));
  const [before, after] = padding(builder, size, length, start, end);
  const parts = [zeros(axis), before, zeros(x.rank - 1), after, zeros(x.rank - 1 - axis)].filter(
    (part) => part.shape[0] !== 0,
  );
  const allConstant = parts.every((part) => part.constant);
  const pads = allConstant
    ? builder.int64(parts.flatMap((part) => Array.from(part.constant as BigInt64Array, Number)))
    : concat(parts, 0);
  return [builder.one("Pad", [dy, pads, builder.scalar(0, x.type)], x.type, x.shape)];
});

/** How many elements a slice left out in front and behind, as int64 vectors of one element. */
function padding(
  builder: GraphBuilder,
  size: Dimension,
  length: Dimension,
  start: number,
  end: number,
): [Value, Value] {
  const minus = (a: Value, b: Value): Value => builder.one("Sub", [a, b], "int64", [1]);
  if (typeof size === "number" && typeof length === "number") {
    const before = Math.min(size, start < 0 ? Math.max(0, start + size) : start);
    return [builder.int64([before]), builder.int64([size - length - before])];
  }
  const all = builder.dimension(size);
  const kept = builder.dimension(length);
  if (start >= 0) return [builder.int64([start]), minus(minus(all, kept), builder.int64([start]))];
  if (end === Number.MAX_SAFE_INTEGER) return [minus(all, kept), builder.int64([0])];
  const before = minus(all, builder.int64([-start]));
  return [before, minus(minus(all, kept), before)];
}

/** Gradient rules of operations that move elements. */
export const layoutRules: Readonly<Record<string, Rule>> = {
  Reshape: moving((node, dy) => reshape(dy, node.inputs[0]!.shape)),
  Transpose: moving((node, dy) => {
    const order = node.attributes["perm"];
    if (order?.kind !== "ints") throw new GraphError("Transpose without an order");
    const back: number[] = [];
    order.value.forEach((axis, i) => (back[axis] = i));
    return transpose(dy, back);
  }),
  Unsqueeze: moving((node, dy) => squeeze(dy, constantInts(node, 1))),
  Squeeze: moving((node, dy) => unsqueeze(dy, constantInts(node, 1))),
  Expand: single((node, dy) => [sumTo(dy, node.outputs[0]!.shape, node.inputs[0]!.shape)]),
  Concat: single((node, dy, needed) => {
    if (isUniform(dy)) return node.inputs.map((_, i) => (needed[i] ? asScalar(dy) : undefined));
    const axis = intAttribute(node, "axis");
    return split(
      whole(dy, node.outputs[0]!.shape),
      axis,
      node.inputs.map((input) => input!.shape[axis]!),
    );
  }),
  Split: (node, gradients) => {
    const x = node.inputs[0]!;
    const pieces = node.outputs.map((output, i) => {
      const gradient = gradients[i];
      return gradient ? whole(gradient, output.shape) : full(x.builder, output.shape, 0, x.type);
    });
    const joined = concat(pieces, intAttribute(node, "axis"));
    return [reshape(joined, x.shape)];
  },
  Slice: padded,
};
