import { bfloat16Of, float16Of } from "../graph/index.js";
import { bytesOf, KINDS, type Kind } from "./kinds.js";

/** Kinds that are written. */
export const WRITTEN_KINDS = ["F32", "F16", "BF16", "Q8_0", "Q4_0"] as const satisfies readonly Kind[];
export type WrittenKind = (typeof WRITTEN_KINDS)[number];

/**
 * The bytes of float32 elements in a kind, each to the bit as Python's `gguf` 0.19 has it (`gguf.quants.quantize`):
 * every operation is rounded to float32.
 * @param values a whole number of blocks
 */
export function quantize(values: Float32Array, kind: WrittenKind): Uint8Array {
  const out = new Uint8Array(bytesOf(kind, values.length));
  const view = new DataView(out.buffer);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  switch (kind) {
    case "F32":
      for (let i = 0; i < bits.length; i++) view.setUint32(4 * i, bits[i]!, true);
      return out;
    case "F16":
      for (let i = 0; i < bits.length; i++) view.setUint16(2 * i, float16Bits(bits[i]!), true);
      return out;
    case "BF16":
      for (let i = 0; i < bits.length; i++) view.setUint16(2 * i, bfloat16Of(bits[i]!), true);
      return out;
    default: {
      const { elements, bytes } = KINDS[kind];
      const block = kind === "Q8_0" ? eightBits : fourBits;
      for (let i = 0, o = 0; i < values.length; i += elements, o += bytes) block(values, i, out, view, o);
      return out;
    }
  }
}

const round = Math.fround;
const number = new Float32Array(1);
const numberBits = new Uint32Array(number.buffer);

function setFloat16(view: DataView, at: number, value: number): void {
  number[0] = value;
  view.setUint16(at, float16Bits(numberBits[0]!), true);
}

function eightBits(values: Float32Array, from: number, out: Uint8Array, view: DataView, at: number): void {
  let most = 0;
  for (let i = from; i < from + 32; i++) most = Math.max(most, Math.abs(values[i]!));
  const scale = round(most / 127);
  const inverse = scale === 0 ? 0 : round(1 / scale);
  setFloat16(view, at, scale);
  for (let i = 0; i < 32; i++) {
    const value = round(values[from + i]! * inverse);
    const whole = Math.floor(Math.abs(value));
    const rounded = whole + Math.floor(2 * (Math.abs(value) - whole));
    out[at + 2 + i] = value < 0 ? -rounded : rounded;
  }
}

function fourBits(values: Float32Array, from: number, out: Uint8Array, view: DataView, at: number): void {
  let most = values[from]!;
  for (let i = from + 1; i < from + 32; i++) if (Math.abs(values[i]!) > Math.abs(most)) most = values[i]!;
  const scale = round(most / -8);
  const inverse = scale === 0 ? 0 : round(1 / scale);
  setFloat16(view, at, scale);
  const level = (i: number): number => Math.min(15, Math.trunc(round(round(values[from + i]! * inverse) + 8.5)));
  for (let i = 0; i < 16; i++) out[at + 2 + i] = level(i) | (level(16 + i) << 4);
}

/** As numpy rounds: a NaN keeps of what it carries the bits that there is room for. */
function float16Bits(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  if (magnitude <= 0x7f800000) return float16Of(bits);
  return ((bits >>> 16) & 0x8000) | 0x7c00 | Math.max(1, (magnitude >>> 13) & 0x3ff);
}
