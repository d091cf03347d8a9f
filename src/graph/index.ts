/** ONNX graphs: building, differentiating and running them. Imports no other room. */
export { GraphError } from "./errors.js";
export { GraphBuilder, Value, type GraphNode, type Operand, type Region, type RegionBackward } from "./builder.js";
export { type Dimension, type Shape } from "./shape.js";
export { arrayFromNumbers, bytesOf, newArray, type ElementType, type TypedArray } from "./types.js";
export {
  DEVICE_NAMES,
  type CompileOptions,
  type Device,
  type DeviceArray,
  type DeviceName,
  type DeviceOptions,
  type Program,
  type RunOptions,
} from "./device.js";
export { gradients, gradientsFrom, type GradientOptions } from "./gradient.js";
export { openDevice } from "./devices/runtime.js";
export { customGradient } from "./custom-gradient.js";
export { recompute } from "./recompute.js";
export { dropout, dropoutFrom, type DropoutNumbers, type DropoutOptions } from "./dropout.js";
export { dropoutNumbers } from "./dropout-numbers.js";
export { crossEntropy, geluErf, geluTanh, rmsNorm, silu, softcap } from "./library.js";
export * from "./ops/bnb4.js";
export * from "./ops/elementwise.js";
export * from "./ops/gather.js";
export * from "./ops/layout.js";
export * from "./ops/matmul.js";
export * from "./ops/reduce.js";
