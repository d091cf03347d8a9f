import type { GraphNode, Value } from "../builder.js";
import { productOf, type Shape } from "../shape.js";
import { mul } from "./arithmetic.js";
import { expand } from "./expand.js";
import { reduceSum } from "./reduce.js";
import { reshape } from "./reshape.js";
import { squeeze, unsqueeze } from "./squeeze.js";

/** Whether a gradient is one number for all elements. */
export function isUniform(gradient: Value): boolean {
  return productOf(gradient.shape) === 1;
}

/** A uniform gradient without axes. */
export function asScalar(gradient: Value): Value {
  return reshape(gradient, []);
}

/** A node's gradient in the shape of its output. */
export function whole(dy: Value, node: GraphNode): Value {
  return expand(dy, node.outputs[0]!.shape);
}

/** The gradient of an operation that only moves elements: where all are alike there is nothing to move. */
export function moved(dy: Value, node: GraphNode, move: (dy: Value) => Value): [Value] {
  return [isUniform(dy) ? asScalar(dy) : move(whole(dy, node))];
}

/** The gradient with the rank given, its missing axes of one element in front. */
export function withRank(gradient: Value, rank: number): Value {
  return gradient.rank === rank ? gradient : unsqueeze(gradient, [...Array(rank - gradient.rank).keys()]);
}

/**
 * The gradient of an operand of shape `target` that was broadcast to `full`, from a gradient that stands for `full`:
 * summed over the axes along which the operand was broadcast (PyTorch's `sum_to_size`).
 */
export function sumTo(gradient: Value, full: Shape, target: Shape): Value {
  const lead = full.length - target.length;
  const broadcast = [...full.keys()].filter((axis) => full[axis] !== 1 && (axis < lead || target[axis - lead] === 1));
  if (broadcast.length === 0) return dropAxes(gradient, target.length);
  let ranked = withRank(gradient, full.length);
  const alike = broadcast.filter((axis) => ranked.shape[axis] === 1);
  const count = productOf(alike.map((axis) => full[axis]!));
  if (typeof count === "string")
    ranked = expand(
      ranked,
      ranked.shape.map((dimension, axis) => (alike.includes(axis) ? full[axis]! : dimension)),
    );
  const axes = broadcast.filter((axis) => ranked.shape[axis] !== 1);
  let sum = axes.length > 0 ? reduceSum(ranked, axes, { keepAxes: true }) : ranked;
  if (typeof count === "number" && count !== 1) sum = mul(sum, count);
  return dropAxes(sum, target.length);
}

/** Drops leading axes of one element beyond a rank. */
function dropAxes(gradient: Value, rank: number): Value {
  return gradient.rank <= rank ? gradient : squeeze(gradient, [...Array(gradient.rank - rank).keys()]);
}
