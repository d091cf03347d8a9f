import { type Device, elementCount } from "../graph/index.js";
import type { TorchDtype } from "./checkpoint-weights.js";
import { fourBitShape } from "./quantize/stored.js";
import { linearLayersOf, parameterOfShape, type QuantizationOptions, type StoredWeight, Weights } from "./weights.js";

/** How a model is held whose shape is counted with. */
export interface ShapeOptions {
  readonly quantization?: QuantizationOptions;
  /** Whether 4-bit values are written out as float32 on the device. */
  readonly expanded?: boolean;
  /** Whether the model's own weights stay as they are. */
  readonly frozen?: boolean;
  /** Dropout of the model itself instead of what config.json says. */
  readonly dropout?: number | null;
  readonly torchDtype?: TorchDtype;
}

/** Weights of these shapes on a meta device, held as the options say. */
export async function weightsOfShape(
  device: Device,
  shapes: ReadonlyMap<string, readonly number[]>,
  { quantization = { kind: "none" }, expanded = false, frozen = false, torchDtype }: ShapeOptions,
): Promise<Weights> {
  const weights = new Weights(device, torchDtype);
  const linear = linearLayersOf([...shapes].map(([name, shape]) => ({ name, shape })));
  for (const [name, shape] of shapes) {
    if (quantization.kind !== "none" && linear.has(name.replace(/\.weight$/, "")))
      weights.addStored(name, await storedOfShape(device, shape as [number, number], quantization, expanded));
    else weights.add(await parameterOfShape(device, name, shape, !frozen));
  }
  return weights;
}

async function storedOfShape(
  device: Device,
  shape: readonly [number, number],
  { kind, doubleQuantization = false, blockSize = 64 }: QuantizationOptions,
  expanded: boolean,
): Promise<StoredWeight> {
  if (kind === "none" || kind === "int8") throw new Error(`no shape of ${kind} weights on ${device.name}`);
  if (elementCount(shape) % blockSize !== 0) throw new Error(`blocks of ${blockSize} do not fill ${shape}`);
  return fourBitShape(device, shape, { kind, doubleQuantization, blockSize, expanded });
}
