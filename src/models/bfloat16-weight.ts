import { bitCast, cast, type Device, matmul } from "../graph/index.js";
import { expandToFloat32 } from "./float-formats.js";
import type { StoredWeight } from "./weights.js";

/**
 * A linear layer's weight held in the bfloat16 words that the file has, in half the memory of float32 and as exact:
 * products expand it. For the CPU: on WebGPU such words cannot be fed.
 * @param words of the matrix [outputs, inputs]; kept, not copied
 */
export function bfloat16Weight(device: Device, shape: readonly [number, number], words: Uint16Array): StoredWeight {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  return {
    quantization: { kind: "none" },
    shape,
    arrays: { words: device.array(words, shape) },
    bytes: words.byteLength,
    product: ({ words }, x) => matmul(x, cast(bitCast(words!, "bfloat16"), "float32"), { transB: true }),
    async dense() {
      const elements = new Float32Array(words.length);
      expandToFloat32(bytes, "BF16", elements, 0);
      return elements;
    },
  };
}
