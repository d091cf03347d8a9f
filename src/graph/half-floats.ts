let values16: Float32Array | undefined;

/** The value of every float16 bit pattern. */
function float16Values(): Float32Array {
  if (values16) return values16;
  const table = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) table[bits] = fraction ? NaN : sign * Infinity;
    else table[bits] = sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  }
  return (values16 = table);
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

/**
 * Rounds float32 values to those that float16 can hold, in place: what a weight is after torch has held it as float16.
 */
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

/** The values of float16 bits, into an array of as many. */
export function expandFloat16(bits: Uint16Array, out: Float32Array): void {
  const table = float16Values();
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]!]!;
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
