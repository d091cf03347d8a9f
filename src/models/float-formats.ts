import { expandBfloat16, expandFloat16 } from "../graph/index.js";

/** Element types of safetensors files, with the bytes of one element. */
export const STORED_TYPES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;
export type StoredType = keyof typeof STORED_TYPES;

/** Whether elements of this type can be read as float32 numbers. */
export function readsAsFloat32(type: StoredType): boolean {
  return type === "F32" || type === "F16" || type === "BF16" || type === "F64";
}

/**
 * Writes the elements in `bytes` (little-endian, of type F32, F16, BF16 or F64) into `out` from `at` on; exact but
 * for F64, which is rounded.
 */
export function expandToFloat32(bytes: Uint8Array, type: StoredType, out: Float32Array, at: number): void {
  const count = bytes.byteLength / STORED_TYPES[type];
  if (type === "F32") {
    new Uint8Array(out.buffer, out.byteOffset + 4 * at, bytes.byteLength).set(bytes);
  } else if (type === "BF16") {
    expandBfloat16(aligned(bytes, Uint16Array), out.subarray(at, at + count));
  } else if (type === "F16") {
    expandFloat16(aligned(bytes, Uint16Array), out.subarray(at, at + count));
  } else if (type === "F64") {
    out.set(aligned(bytes, Float64Array), at);
  } else {
    throw new Error(`${type} does not read as float32`);
  }
}

function aligned<T>(
  bytes: Uint8Array,
  type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
): T {
  const size = type.BYTES_PER_ELEMENT;
  const whole = bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes);
  return new type(whole.buffer, whole.byteOffset, whole.byteLength / size);
}

/** Place of the first element that is NaN or infinite; -1 where there is none. bfloat16 is given as its words. */
export function firstNotFinite(elements: Float32Array | Uint16Array): number {
  if (elements instanceof Float32Array) {
    // A sum of products with zero is NaN as soon as one element is not finite; four sums do not wait for each other.
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = 0;
    for (const end = elements.length - 3; i < end; i += 4) {
      a += elements[i]! * 0;
      b += elements[i + 1]! * 0;
      c += elements[i + 2]! * 0;
      d += elements[i + 3]! * 0;
    }
    for (; i < elements.length; i++) a += elements[i]! * 0;
    return a + b + c + d === 0 ? -1 : elements.findIndex((value) => !Number.isFinite(value));
  }
  for (let i = 0; i < elements.length; i++) if ((elements[i]! & 0x7f80) === 0x7f80) return i;
  return -1;
}
