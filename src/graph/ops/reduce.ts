import { buildError, int, type Value } from "../builder.js";
import { axisOf, type Dimension } from "../shape.js";
import { isFloat } from "../types.js";

export interface ReduceOptions {
  /** Keep the reduced axes, of one element each. */
  readonly keepAxes?: boolean;
}

function reduce(op: string, x: Value, axes: readonly number[] | undefined, { keepAxes = false }: ReduceOptions): Value {
  const at = [...new Set((axes ?? [...x.shape.keys()]).map((axis) => axisOf(axis, x.rank, op)))].sort((a, b) => a - b);
  if (at.length === 0) return x;
  const shape: Dimension[] = [];
  x.shape.forEach((dimension, axis) => {
    if (!at.includes(axis)) shape.push(dimension);
    else if (keepAxes) shape.push(1);
  });
  return x.builder.one(op, [x, x.builder.int64(at)], x.type, shape, { keepdims: int(keepAxes) });
}

/** The sum over some axes, or over all. */
export const reduceSum = (x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value =>
  reduce("ReduceSum", x, axes, options);
/** The mean over some axes, or over all. */
export const reduceMean = (x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value =>
  reduce("ReduceMean", x, axes, options);
/** The largest over some axes, or over all; ties share its gradient equally. */
export const reduceMax = (x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value =>
  reduce("ReduceMax", x, axes, options);

/** exp(x) over its sum along an axis (the last unless said). */
export function softmax(x: Value, axis = -1): Value {
  if (!isFloat(x.type)) throw buildError("Softmax", [x], "needs a floating type");
  return x.builder.one("Softmax", [x], x.type, x.shape, { axis: int(axisOf(axis, x.rank, "softmax")) });
}

/** The logarithm of softmax. */
export function logSoftmax(x: Value, axis = -1): Value {
  if (!isFloat(x.type)) throw buildError("LogSoftmax", [x], "needs a floating type");
  return x.builder.one("LogSoftmax", [x], x.type, x.shape, { axis: int(axisOf(axis, x.rank, "logSoftmax")) });
}

/** The place of the largest along an axis (the first of equals), int64, without that axis. No gradient. */
export function argmax(x: Value, axis = -1): Value {
  const at = axisOf(axis, x.rank, "argmax");
  return x.builder.one(
    "ArgMax",
    [x],
    "int64",
    x.shape.filter((_, i) => i !== at),
    { axis: int(at), keepdims: int(0) },
  );
}

/** The k largest along the last axis, in order, and their places (int64). No gradient. */
export function topK(x: Value, k: number): { readonly values: Value; readonly indices: Value } {
  const shape = [...x.shape.slice(0, -1), k];
  const [values, indices] = x.builder.node(
    "TopK",
    [x, x.builder.int64([k])],
    [
      { type: x.type, shape },
      { type: "int64", shape },
    ],
    { axis: int(-1) },
  );
  return { values: values!, indices: indices! };
}
