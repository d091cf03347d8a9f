import { UserError } from "../../base/errors.js";
import { type Device, deviceDefinition } from "../../graph/index.js";
import type { QuantizationOptions, StoredWeight } from "../weights.js";
import { fourBitWeight, int8Weight } from "./stored.js";

export type { QuantizationOptions } from "../weights.js";
export { dynamicMap, expandScales, type NestedScales, nestScales } from "./double.js";
export { dequantizeFourBit, type FourBit, quantizeFourBit } from "./four-bit.js";
export { type EightBit, quantizeInt8 } from "./int8.js";
export { storeLinearLayers } from "./store-linear-layers.js";

/**
 * Takes a linear layer's weight [outputs, inputs] as it is read and holds it in fewer bits; the elements' memory is not
 * kept.
 */
export type WeightStore = (
  name: string,
  shape: readonly [number, number],
  elements: Float32Array,
  device: Device,
) => Promise<StoredWeight>;

/**
 * How linear layers' weights are held; undefined for `none`: as float32.
 * @param expanded whether 4-bit values are written out as float32 once, for a device with memory enough: the same
 * values, eight times the bytes, and no product that expands them
 * @throws {UserError} where the device has no products of that kind
 */
export function weightStore(
  { kind, doubleQuantization = false, blockSize = 64 }: QuantizationOptions,
  device: Pick<Device, "name">,
  { expanded = false }: { readonly expanded?: boolean } = {},
): WeightStore | undefined {
  if (kind === "none") return undefined;
  if (kind === "int8") {
    if (!deviceDefinition(device.name).int8Products)
      throw new UserError(`int8 weights are not for ${device.name}, which has no 8-bit products`, {
        hint: "Set model.quantization to fp4, nf4 or none, or use --device cpu.",
      });
    return (_name, shape, elements, on) => int8Weight(on, shape, elements);
  }
  return (name, shape, elements, on) => {
    if (elements.length % blockSize !== 0)
      throw new UserError(`${name} has ${elements.length} elements, which blocks of ${blockSize} do not fill`, {
        hint: "Set model.quantization=none for a model as small as this.",
      });
    return fourBitWeight(on, shape, elements, { kind, blockSize, doubleQuantization, expanded });
  };
}
