/** Every operation, each with its types and shapes, its gradient, what it is lowered to and its test cases. */

export { argmax, topK } from "./argmax.js";
export { add, div, mul, neg, reciprocal, square, sub } from "./arithmetic.js";
export { bitCast, cast } from "./cast.js";
export { and, equal, greater, greaterOrEqual, less, lessOrEqual, not, or } from "./compare.js";
export { concat, split } from "./concat.js";
export { expand, full } from "./expand.js";
export { erf, exp, log, sigmoid, tanh } from "./exponential.js";
export { gather, gatherElements, scatterAddElements, scatterAddRows } from "./gather.js";
export { identity, stopGradient } from "./identity.js";
export { gemm, type MatmulOptions, matmul } from "./matmul.js";
export { abs, floor, maximum, minimum, relu } from "./piecewise.js";
export { pow, sqrt } from "./power.js";
export { range, shapeOf } from "./range.js";
export { type ReduceOptions, reduceMax, reduceMean, reduceSum } from "./reduce.js";
export { reshape } from "./reshape.js";
export { slice } from "./slice.js";
export { logSoftmax, softmax } from "./softmax.js";
export { squeeze, unsqueeze } from "./squeeze.js";
export { transpose } from "./transpose.js";
export { cos, sin } from "./trigonometric.js";
export { where } from "./where.js";
