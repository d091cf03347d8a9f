import type { GraphNode, Value } from "../builder.js";
import { intAttribute } from "../lower.js";
import { cast, div, equal, exp, mul, sub } from "../ops/elementwise.js";
import { reshape, squeeze, unsqueeze } from "../ops/layout.js";
import { reduceSum } from "../ops/reduce.js";
import { productOf } from "../shape.js";
import { constantInts } from "./layout.js";
import { type Rule, single, withRank } from "./rule.js";

/** A gradient of the reduced value, or that value, with the reduced axes back as axes of one element. */
function unreduced(node: GraphNode, value: Value): Value {
  if (value.rank === 0 || intAttribute(node, "keepdims") === 1) return value;
  const axes = constantInts(node, 1);
  return unsqueeze(withRank(value, node.outputs[0]!.rank), axes);
}

/** How many elements went into each reduced one, in the gradient's type. */
function count(node: GraphNode): Value {
  const x = node.inputs[0]!;
  const size = productOf(constantInts(node, 1).map((axis) => x.shape[axis]!));
  if (typeof size === "number") return x.builder.scalar(size, x.type);
  return cast(squeeze(x.builder.dimension(size), [0]), x.type);
}

/** Gradient rules of sums, means, maxima and softmax. */
export const reduceRules: Readonly<Record<string, Rule>> = {
  ReduceSum: single((node, dy) => [unreduced(node, dy)]),
  ReduceMean: single((node, dy) => [div(unreduced(node, dy), count(node))]),
  ReduceMax: single((node, dy) => {
    const x = node.inputs[0]!;
    const largest = cast(equal(x, keptAxes(node)), x.type);
    const ties = reduceSum(largest, constantInts(node, 1), { keepAxes: true });
    return [mul(largest, div(unreduced(node, dy), ties))];
  }),
  Softmax: single((node, dy) => {
    const y = node.outputs[0]!;
    return [mul(y, sub(dy, reduceSum(mul(dy, y), [intAttribute(node, "axis")], { keepAxes: true })))];
  }),
  LogSoftmax: single((node, dy) => {
    const y = node.outputs[0]!;
    const axis = intAttribute(node, "axis");
    const whole = dy.rank === y.rank && dy.shape[axis] === y.shape[axis];
    if (whole) return [sub(dy, mul(exp(y), reduceSum(dy, [axis], { keepAxes: true })))];
    // alike along the axis: its sum is its size times one
    const size = cast(squeeze(y.builder.dimension(y.shape[axis]!), [0]), y.type);
    return [mul(dy, sub(1, mul(exp(y), size)))];
  }),
};

function keptAxes(node: GraphNode): Value {
  const y = node.outputs[0]!;
  const axes = constantInts(node, 1);
  if (intAttribute(node, "keepdims") === 1) return y;
  return y.rank === 0
    ? reshape(
        y,
        axes.map(() => 1),
      )
    : unsqueeze(y, axes);
}
