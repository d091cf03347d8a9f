import { type Bnb4Kind, matmulBnb4 } from "../../graph/bnb4/index.js";
import { cast, type Device, type DeviceArray, matmul, mul, type Value } from "../../graph/index.js";
import type { StoredWeight } from "../weights.js";
import { expandScales, nestScales } from "./double.js";
import { dequantizeFourBit, quantizeFourBit } from "./four-bit.js";
import { quantizeInt8 } from "./int8.js";

/** A linear layer's weight in 4 bits. */
export async function fourBitWeight(
  device: Device,
  shape: readonly [number, number],
  elements: Float32Array,
  options: { kind: Bnb4Kind; blockSize: number; doubleQuantization: boolean },
): Promise<StoredWeight> {
  const { kind, blockSize, doubleQuantization } = options;
  const [rows, columns] = shape;
  const quantized = quantizeFourBit(elements, kind, blockSize);
  const absmax = doubleQuantization ? expandScales(nestScales(quantized.absmax)) : quantized.absmax;
  const { packed } = quantized;
  const up = (array: DeviceArray): Promise<DeviceArray> => device.upload(array);
  const arrays = {
    packed: await up(device.array(packed, [packed.length])),
    // The same bytes two at a time: what the gradient's table is asked with. No GPU of this runtime holds uint16: they
    // are sent along.
    words: device.array(new Uint16Array(packed.buffer, packed.byteOffset, packed.length / 2), [packed.length / 2]),
    scales: await up(device.array(absmax, [absmax.length])),
  };
  return {
    quantization: { kind, doubleQuantization, blockSize },
    shape,
    arrays,
    bytes: packed.length + 4 * absmax.length,
    product: ({ packed, words, scales }, x) =>
      matmulBnb4(x, { kind, rows, columns, blockSize, packed: packed!, words: words!, scales: scales! }),
    dense: async () => dequantizeFourBit({ packed, absmax }, kind, rows * columns, blockSize),
  };
}

/** A linear layer's weight in 8 bits. */
export async function int8Weight(
  device: Device,
  shape: readonly [number, number],
  elements: Float32Array,
): Promise<StoredWeight> {
  const [rows, columns] = shape;
  const { codes, absmax } = quantizeInt8(elements, rows, columns);
  const scales = absmax.map((largest) => largest / 127);
  const arrays = {
    codes: await device.upload(device.array(codes, [rows, columns])),
    scales: await device.upload(device.array(scales, [rows])),
  };
  return {
    quantization: { kind: "int8" },
    shape,
    arrays,
    bytes: codes.length + 4 * rows,
    product: ({ codes, scales }: Readonly<Record<string, Value>>, x) =>
      mul(matmul(x, cast(codes!, "float32"), { transB: true }), scales!),
    dense: async () => Float32Array.from(codes, (code, i) => code * scales[Math.floor(i / columns)]!),
  };
}
