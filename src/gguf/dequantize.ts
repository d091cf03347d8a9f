import { float32BitsOf } from "../graph/index.js";
import { KINDS, type Kind } from "./kinds.js";

/**
 * Writes the elements of whole blocks into `out` from `at` on, as float32, each to the bit as Python's `gguf` 0.19 has
 * it (`gguf.quants.dequantize`): every product and sum is rounded to float32.
 * @param bytes a whole number of blocks
 */
export function dequantize(bytes: Uint8Array, kind: Kind, out: Float32Array, at: number): void {
  const { bytes: width, elements } = KINDS[kind];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === "F32") {
    for (let i = 0, o = at; i < bytes.length; i += 4, o++) out[o] = view.getFloat32(i, true);
    return;
  }
  if (kind === "F16" || kind === "BF16") {
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0, o = at; i < bytes.length; i += 2, o++) {
      const half = view.getUint16(i, true);
      bits[o] = kind === "BF16" ? half << 16 : float32BitsOf(half);
    }
    return;
  }
  const block = BLOCKS[kind];
  for (let from = 0, o = at; from < bytes.length; from += width, o += elements) block(bytes, view, from, out, o);
}

type Block = (bytes: Uint8Array, view: DataView, from: number, out: Float32Array, at: number) => void;

const number = new Float32Array(1);
const numberBits = new Uint32Array(number.buffer);

function float16(view: DataView, at: number): number {
  numberBits[0] = float32BitsOf(view.getUint16(at, true));
  return number[0]!;
}

const round = Math.fround;

/**
 * 32 elements of 4 or 5 bits: the low halves of 16 bytes, then the high ones. @param offset what is taken off each
 * @param high where the fifth bits stand, if any
 */
function small(offset: number, minimum: boolean, five: boolean): Block {
  const lowAt = 2 + (minimum ? 2 : 0) + (five ? 4 : 0);
  return (bytes, view, from, out, at) => {
    const scale = float16(view, from);
    const least = minimum ? float16(view, from + 2) : 0;
    const high = five ? view.getUint32(from + lowAt - 4, true) : 0;
    for (let i = 0; i < 32; i++) {
      const byte = bytes[from + lowAt + (i & 15)]!;
      const value = (i < 16 ? byte & 15 : byte >> 4) | (((high >>> i) & 1) << 4);
      out[at + i] = minimum ? round(scale * value) + least : scale * (value - offset);
    }
  };
}

/** A block's 6-bit scale and minimum of one of its 8 groups, out of 12 bytes. */
function groupScale(bytes: Uint8Array, from: number, group: number): readonly [scale: number, minimum: number] {
  if (group < 4) return [bytes[from + group]! & 63, bytes[from + 4 + group]! & 63];
  const [low, minimum, both] = [bytes[from + group - 4]!, bytes[from + group]!, bytes[from + 4 + group]!];
  return [(both & 15) | ((low >> 2) & 48), (both >> 4) | ((minimum >> 2) & 48)];
}

/** 256 elements in 8 groups of 32, each with a scale and a minimum. */
function grouped(five: boolean): Block {
  return (bytes, view, from, out, at) => {
    const [d, least] = [float16(view, from), float16(view, from + 2)];
    const highAt = from + 16;
    const lowAt = highAt + (five ? 32 : 0);
    for (let group = 0; group < 8; group++) {
      const [scale, minimum] = groupScale(bytes, from + 4, group);
      const [factor, less] = [round(d * scale), round(least * minimum)];
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        const low = (bytes[lowAt + 32 * (group >> 1) + i]! >> shift) & 15;
        const value = five ? low | (((bytes[highAt + i]! >> group) & 1) << 4) : low;
        out[at + 32 * group + i] = round(factor * value) - less;
      }
    }
  };
}

const BLOCKS: Readonly<Record<Exclude<Kind, "F32" | "F16" | "BF16">, Block>> = {
  Q4_0: small(8, false, false),
  Q4_1: small(0, true, false),
  Q5_0: small(16, false, true),
  Q5_1: small(0, true, true),
  Q8_0(bytes, view, from, out, at) {
    const scale = float16(view, from);
    for (let i = 0; i < 32; i++) out[at + i] = scale * ((bytes[from + 2 + i]! << 24) >> 24);
  },
  Q4_K: grouped(false),
  Q5_K: grouped(true),
  Q6_K(bytes, view, from, out, at) {
    const d = float16(view, from + 208);
    for (let group = 0; group < 8; group++) {
      const [half, part] = [group >> 2, group & 3];
      for (let i = 0; i < 32; i++) {
        const low = (bytes[from + 64 * half + 32 * (part & 1) + i]! >> (4 * (part >> 1))) & 15;
        const high = (bytes[from + 128 + 32 * half + i]! >> (2 * part)) & 3;
        const scale = view.getInt8(from + 192 + 2 * group + (i >> 4));
        out[at + 32 * group + i] = round(d * scale) * ((low | (high << 4)) - 32);
      }
    }
  },
};
