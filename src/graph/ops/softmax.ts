import { int, intAttribute } from "../attributes.js";
import { buildError, type GraphNode, type Value } from "../builder.js";
import type { Lowering } from "../lower.js";
import { type Operation, operation } from "../operation.js";
import { axisOf } from "../shape.js";
import { isFloat } from "../types.js";
import { mul, sub } from "./arithmetic.js";
import { cast } from "./cast.js";
import { exp } from "./exponential.js";
import { reduceSum } from "./reduce.js";
import { squeeze } from "./squeeze.js";

/** exp(x) over its sum along an axis (the last unless said). */
export const softmax: Operation<[x: Value, axis?: number]> = operation({
  name: "Softmax",
  infer: (x: Value, axis = -1) => {
    if (!isFloat(x.type)) throw buildError("Softmax", [x], "needs a floating type");
    return { inputs: [x], type: x.type, shape: x.shape, attributes: { axis: int(axisOf(axis, x.rank, "softmax")) } };
  },
  gradient: (dy, node) => {
    const y = node.outputs[0]!;
    return [mul(y, sub(dy, reduceSum(mul(dy, y), [intAttribute(node, "axis")], { keepAxes: true })))];
  },
  cases: ({ normal }) => ({
    softmax: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => softmax(x!) },
    "softmax, another axis": { samples: { x: normal(2, 3, 4) }, build: ({ x }) => softmax(x!, 1) },
    "softmax, summed": { samples: { x: normal(2, 3, 4) }, build: ({ x }) => reduceSum(softmax(x!, 0), [0]) },
  }),
});

/** The logarithm of softmax. */
export const logSoftmax: Operation<[x: Value, axis?: number]> = operation({
  name: "LogSoftmax",
  infer: (x: Value, axis = -1) => {
    if (!isFloat(x.type)) throw buildError("LogSoftmax", [x], "needs a floating type");
    const along = axisOf(axis, x.rank, "logSoftmax");
    return { inputs: [x], type: x.type, shape: x.shape, attributes: { axis: int(along) } };
  },
  gradient: (dy, node) => {
    const y = node.outputs[0]!;
    const axis = intAttribute(node, "axis");
    const written = dy.rank === y.rank && dy.shape[axis] === y.shape[axis];
    if (written) return [sub(dy, mul(exp(y), reduceSum(dy, [axis], { keepAxes: true })))];
    // alike along the axis: its sum is its size times one
    const size = cast(squeeze(y.builder.dimension(y.shape[axis]!), [0]), y.type);
    return [mul(dy, sub(1, mul(exp(y), size)))];
  },
  lower: lowerLogSoftmax,
  cases: ({ normal }) => ({
    logSoftmax: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => logSoftmax(x!) },
    "logSoftmax, summed": { samples: { x: normal(2, 3, 4) }, build: ({ x }) => reduceSum(logSoftmax(x!)) },
  }),
});

function lowerLogSoftmax(node: GraphNode, lowering: Lowering): void {
  if (lowering.has("LogSoftmax")) return lowering.copy(node);
  const [x] = node.inputs as [Value];
  const axes = lowering.constant([intAttribute(node, "axis")], "int64");
  const keep = { keepdims: int(1) };
  const largest = lowering.push("ReduceMax", [x.name, axes], [lowering.fresh("largest")], keep);
  const shifted = lowering.push("Sub", [x.name, largest], [lowering.fresh("shifted")]);
  const powers = lowering.push("Exp", [shifted], [lowering.fresh("powers")]);
  const sum = lowering.push("ReduceSum", [powers, axes], [lowering.fresh("sum")], keep);
  const logarithm = lowering.push("Log", [sum], [lowering.fresh("logarithm")]);
  lowering.push("Sub", [shifted, logarithm], [node.outputs[0]!.name]);
}
