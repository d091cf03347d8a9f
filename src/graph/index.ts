/** ONNX graphs: building, differentiating and running them. Imports no other room. */

export { GraphBuilder, type GraphNode, type Operand, type Region, type RegionBackward, Value } from "./builder.js";
export { customGradient } from "./custom-gradient.js";
export {
  type CompileOptions,
  DEVICE_NAMES,
  type Device,
  type DeviceArray,
  type DeviceName,
  type DeviceOptions,
  type Program,
  type RunOptions,
} from "./device.js";
export { openDevice } from "./devices/runtime.js";
export { type DropoutNumbers, type DropoutOptions, dropout, dropoutFrom } from "./dropout.js";
export { dropoutNumbers } from "./dropout-numbers.js";
export { GraphError } from "./errors.js";
export { type GradientOptions, gradients, gradientsFrom } from "./gradient.js";
export { crossEntropy, geluErf, geluTanh, rmsNorm, silu, softcap } from "./library.js";
export * from "./ops/bnb4.js";
export * from "./ops/elementwise.js";
export * from "./ops/gather.js";
export * from "./ops/layout.js";
export * from "./ops/matmul.js";
export * from "./ops/reduce.js";
export { recompute } from "./recompute.js";
export type { Dimension, Shape } from "./shape.js";
export { arrayFromNumbers, bytesOf, type ElementType, newArray, type TypedArray } from "./types.js";
