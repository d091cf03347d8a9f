import type { GraphNode, Value } from "../builder.js";
import { mul } from "../ops/elementwise.js";
import { expand, reshape, squeeze, unsqueeze } from "../ops/layout.js";
import { reduceSum } from "../ops/reduce.js";
import { productOf, type Shape } from "../shape.js";

/**
 * From the gradients of a node's outputs (undefined: none reached it) to those of its inputs (undefined: not needed,
 * or zero). A gradient may have a smaller shape that broadcasts to its value's: a gradient of rows that are all alike
 * is not written out until something needs it so.
 */
export type Rule = (
  node: GraphNode,
  outputGradients: readonly (Value | undefined)[],
  needed: readonly boolean[],
) => readonly (Value | undefined)[];

/** A rule for a node of one output. */
export function single(
  rule: (node: GraphNode, dy: Value, needed: readonly boolean[]) => readonly (Value | undefined)[],
): Rule {
  return (node, [dy], needed) => rule(node, dy!, needed);
}

/** As `single`, with the gradient in the output's own shape. */
export function singleWhole(
  rule: (node: GraphNode, dy: Value, needed: readonly boolean[]) => readonly (Value | undefined)[],
): Rule {
  return (node, [dy], needed) => rule(node, whole(dy!, node.outputs[0]!.shape), needed);
}

/** A gradient written out in the full shape. */
export function whole(gradient: Value, shape: Shape): Value {
  return expand(gradient, shape);
}

/** Whether a gradient is one number for all elements. */
export function isUniform(gradient: Value): boolean {
  return productOf(gradient.shape) === 1;
}

/** A uniform gradient without axes. */
export function asScalar(gradient: Value): Value {
  return reshape(gradient, []);
}

/** The gradient with the rank of `shape`, its missing axes of one element in front. */
export function withRank(gradient: Value, rank: number): Value {
  return gradient.rank === rank ? gradient : unsqueeze(gradient, [...Array(rank - gradient.rank).keys()]);
}

/**
 * The gradient of an operand of shape `target` that was broadcast to `full`, from a gradient that stands for `full`:
 * summed over the axes the operand was stretched along.
 */
export function sumTo(gradient: Value, full: Shape, target: Shape): Value {
  const lead = full.length - target.length;
  const stretched = [...full.keys()].filter((axis) => full[axis] !== 1 && (axis < lead || target[axis - lead] === 1));
  if (stretched.length === 0) return dropAxes(gradient, target.length);
  let ranked = withRank(gradient, full.length);
  const alike = stretched.filter((axis) => ranked.shape[axis] === 1);
  const count = productOf(alike.map((axis) => full[axis]!));
  if (typeof count === "string")
    ranked = whole(
      ranked,
      ranked.shape.map((dimension, axis) => (alike.includes(axis) ? full[axis]! : dimension)),
    );
  const axes = stretched.filter((axis) => ranked.shape[axis] !== 1);
  let sum = axes.length > 0 ? reduceSum(ranked, axes, { keepAxes: true }) : ranked;
  if (typeof count === "number" && count !== 1) sum = mul(sum, count);
  return dropAxes(sum, target.length);
}

/** Drops leading axes of one element beyond a rank. */
function dropAxes(gradient: Value, rank: number): Value {
  return gradient.rank <= rank ? gradient : squeeze(gradient, [...Array(gradient.rank - rank).keys()]);
}
