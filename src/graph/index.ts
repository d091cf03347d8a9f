/**
 * ONNX graphs: building, differentiating and running them. Imports no other room.
 *
 * ```ts
 * import { GraphBuilder, gradients, mul, openDevice, reduceSum } from "mmmlu-lab/graph";
 *
 * const device = await openDevice("cpu");
 * const graph = new GraphBuilder("sum of squares");
 * const x = graph.input("x", "float32", [3]);
 * const loss = reduceSum(mul(x, x));
 * graph.output("loss", loss);
 * graph.output("gradient", gradients(loss, [x])[0]!);
 * const program = await device.compile(graph);
 * const { gradient } = await program.run({ x: device.array(new Float32Array([1, 2, 3]), [3]) });
 * console.log(await device.read(gradient!));
 * await program.dispose();
 * await device.close();
 * ```
 *
 * @module
 */

export { GraphBuilder, type GraphNode, type Operand, type Region, type RegionBackward, Value } from "./builder.js";
export { customGradient } from "./custom-gradient.js";
export type {
  CompileOptions,
  Device,
  DeviceArray,
  DeviceCounters,
  DeviceName,
  DeviceOptions,
  Program,
  RunOptions,
} from "./device.js";
export { type Adapter, type AdapterSources, gpuAdapters } from "./devices/adapters.js";
export type { DeviceDefinition, DeviceTraits } from "./devices/definition.js";
export { type MetaDevice, type MetaMemory, openMetaDevice } from "./devices/meta.js";
export {
  adapterOf,
  DEVICE_CHOICES,
  DEVICE_NAMES,
  DEVICES,
  type DeviceChoice,
  deviceDefinition,
  openDevice,
} from "./devices/registry.js";
export { DeviceFailure, GraphError } from "./errors.js";
export { type GradientOptions, gradients, gradientsFrom } from "./gradient.js";
export {
  bfloat16Bits,
  bfloat16Of,
  expandBfloat16,
  expandFloat16,
  float16Bits,
  float16Of,
  float32BitsOf,
  roundToBfloat16,
  roundToFloat16,
} from "./half-floats.js";
export { type FileInPieces, type ModelFileOptions, modelFiles } from "./model-file.js";
export * from "./nn/index.js";
export { composed, type Operation, operation, operationOfMany } from "./operation.js";
export * from "./ops/index.js";
export * from "./optim/index.js";
export { recompute } from "./recompute.js";
export { type Dimension, elementCount, type Shape } from "./shape.js";
export { arrayFromNumbers, bytesOf, type ElementType, newArray, type TypedArray } from "./types.js";
