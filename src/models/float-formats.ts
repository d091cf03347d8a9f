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

let halfTable: Float32Array | undefined;

/** The value of every float16 bit pattern. */
function float16Values(): Float32Array {
  if (halfTable) return halfTable;
  const table = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) table[bits] = fraction ? NaN : sign * Infinity;
    else table[bits] = sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  }
  return (halfTable = table);
}

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
    const from = aligned(bytes, Uint16Array);
    const to = new Uint32Array(out.buffer, out.byteOffset + 4 * at, count);
    for (let i = 0; i < count; i++) to[i] = from[i]! << 16;
  } else if (type === "F16") {
    const from = aligned(bytes, Uint16Array);
    const values = float16Values();
    for (let i = 0; i < count; i++) out[at + i] = values[from[i]!]!;
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

/** Bits of the float16 that a float32 is rounded to, to nearest even as torch does; beyond 65,504 it is infinite. */
function float16Of(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65,520 and above lie nearer to the next power of two than to the greatest float16.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Below 2^-14 they are whole multiples of 2^-24.
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign;
  const shift = 126 - exponent;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const whole = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole);
}

/** float32 values as float16 bits, rounded to nearest even. */
export function float16Bits(values: Float32Array, out = new Uint16Array(values.length)): Uint16Array {
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < from.length; i++) out[i] = float16Of(from[i]!);
  return out;
}

/** Rounds float32 values to those that float16 can hold, in place: what a weight is after torch has held it as float16. */
export function roundToFloat16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const table = float16Values();
  for (let i = 0; i < bits.length; i++) values[i] = table[float16Of(bits[i]!)]!;
}

/** float32 values as bfloat16 bits, rounded to nearest even; NaN stays NaN. */
export function bfloat16Bits(values: Float32Array): Uint16Array {
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const bits = from[i]!;
    out[i] = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 | (bits >>> 16) : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
  return out;
}
