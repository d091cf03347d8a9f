import { type Bnb4Kind, matmulBnb4 } from "../../graph/bnb4/index.js";
import { cast, type Device, type DeviceArray, matmul, mul, type Value } from "../../graph/index.js";
import type { StoredWeight } from "../weights.js";
import { expandScales, nestScales } from "./double.js";
import { dequantizeFourBit, type FourBit, quantizeFourBit } from "./four-bit.js";
import { quantizeInt8 } from "./int8.js";

/** How a weight in 4 bits is held. */
export interface FourBitOptions {
  readonly kind: Bnb4Kind;
  readonly blockSize: number;
  readonly doubleQuantization: boolean;
  /** Whether its values are written out as float32 once, instead of by every product. */
  readonly expanded: boolean;
}

/** A linear layer's weight in 4 bits. */
export async function fourBitWeight(
  device: Device,
  shape: readonly [number, number],
  elements: Float32Array,
  options: FourBitOptions,
): Promise<StoredWeight> {
  const { packed, absmax } = quantizeFourBit(elements, options.kind, options.blockSize);
  const scales = options.doubleQuantization ? expandScales(nestScales(absmax)) : absmax;
  return fourBitOf(device, shape, { packed, absmax: scales }, options);
}

/** The same from its codes and scales. */
export async function fourBitOf(
  device: Device,
  shape: readonly [number, number],
  { packed, absmax }: FourBit,
  options: FourBitOptions,
): Promise<StoredWeight> {
  const { kind, blockSize, expanded } = options;
  const [rows, columns] = shape;
  const dense = (): Float32Array => dequantizeFourBit({ packed, absmax }, kind, rows * columns, blockSize);
  if (expanded) {
    const array = await device.upload(device.array(dense(), shape));
    return held(options, shape, { dense: array }, async () => (await device.read(array)) as Float32Array);
  }
  const arrays = {
    packed: device.array(packed, [packed.length]),
    scales: device.array(absmax, [absmax.length]),
  };
  return held(
    options,
    shape,
    {
      packed: await device.upload(arrays.packed),
      // The same bytes two at a time: what the gradient's table is asked with on the CPU. A GPU of this runtime has no
      // uint16 and reads the bytes.
      ...(device.memory === "host"
        ? {
            words: device.array(new Uint16Array(packed.buffer, packed.byteOffset, packed.length / 2), [
              packed.length / 2,
            ]),
          }
        : {}),
      scales: await device.upload(arrays.scales),
    },
    async () => dense(),
  );
}

/** The same without elements, on a meta device. */
export async function fourBitShape(
  device: Device,
  shape: readonly [number, number],
  options: FourBitOptions,
): Promise<StoredWeight> {
  const count = shape[0] * shape[1];
  const zeros = (sizes: readonly number[], type: "float32" | "uint8"): Promise<DeviceArray> =>
    device.upload(device.zeros(sizes, type));
  const arrays: Record<string, DeviceArray> = options.expanded
    ? { dense: await zeros(shape, "float32") }
    : {
        packed: await zeros([count / 2], "uint8"),
        scales: await zeros([count / options.blockSize], "float32"),
      };
  return held(options, shape, arrays, async () => new Float32Array(count));
}

function held(
  { expanded, kind, blockSize, doubleQuantization }: FourBitOptions,
  shape: readonly [number, number],
  arrays: StoredWeight["arrays"],
  dense: StoredWeight["dense"],
): StoredWeight {
  const [rows, columns] = shape;
  return {
    quantization: { kind, doubleQuantization, blockSize },
    shape,
    arrays,
    // Words are the packed codes seen otherwise.
    bytes: Object.entries(arrays).reduce((sum, [name, { bytes }]) => sum + (name === "words" ? 0 : bytes), 0),
    product: expanded
      ? ({ dense }, x) => matmul(x, dense!, { transB: true })
      : ({ packed, words, scales }, x) =>
          matmulBnb4(x, { kind, rows, columns, blockSize, packed: packed!, words, scales: scales! }),
    dense,
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
