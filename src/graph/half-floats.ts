let table16: Uint32Array | undefined;

/** The float32 bits of every float16 bit pattern: exact, also of subnormal ones and of NaN with what it carries. */
function float16Table(): Uint32Array {
  if (table16) return table16;
  const table = new Uint32Array(65_536);
  const values = new Float32Array(table.buffer);
  for (let half = 0; half < 65_536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) table[half] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) table[half] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else {
      values[half] = fraction * 2 ** -24;
      table[half]! |= sign;
    }
  }
  return (table16 = table);
}

/** The bits of the float32 number that a float16 one is. */
export const float32BitsOf = (half: number): number => float16Table()[half]!;

/**
 * Bits of the float16 that a float32 is rounded to, given by its bits: to nearest even, and every NaN is one, as torch
 * does; beyond 65,504 it is infinite.
 */
export function float16Of(bits: number): number {
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

/**
 * Rounds float32 values to those that float16 can hold, in place: what a weight is after torch has held it as float16.
 */
export function roundToFloat16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const table = float16Table();
  for (let i = 0; i < bits.length; i++) bits[i] = table[float16Of(bits[i]!)]!;
}

/** float32 values as bfloat16 bits, rounded to nearest even; NaN stays NaN. */
export function bfloat16Bits(values: Float32Array): Uint16Array {
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = bfloat16Of(from[i]!);
  }
  return out;
}

/** Bits of the bfloat16 that a float32 is rounded to, given by its bits: to nearest even; NaN keeps what it carries. */
export const bfloat16Of = (bits: number): number =>
  (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 | (bits >>> 16) : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;

/** The values of float16 bits, into an array of as many. */
export function expandFloat16(bits: Uint16Array, out: Float32Array): void {
  const table = float16Table();
  const to = new Uint32Array(out.buffer, out.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) to[i] = table[bits[i]!]!;
}

/** The values of bfloat16 bits, into an array of as many. */
export function expandBfloat16(bits: Uint16Array, out: Float32Array): void {
  const to = new Uint32Array(out.buffer, out.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) to[i] = bits[i]! << 16;
}

/** The nearest number that bfloat16 can hold. */
export function roundToBfloat16(value: number): number {
  const out = new Float32Array(1);
  expandBfloat16(bfloat16Bits(Float32Array.of(value)), out);
  return out[0]!;
}
