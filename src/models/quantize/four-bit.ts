import { BNB4_VALUES, type Bnb4Kind } from "../../graph/index.js";

/** A matrix in 4 bits, as bitsandbytes holds it. */
export interface FourBit {
  /** Two codes a byte, the first in the high half. */
  readonly packed: Uint8Array;
  /** The largest absolute value of each block. */
  readonly absmax: Float32Array;
}

/** Codes in the order of their values, and the midpoints between neighbours, in float32. */
interface Ladder {
  readonly order: Uint8Array;
  readonly bounds: Float32Array;
}

const ladders = new Map<Bnb4Kind, Ladder>();

function ladderOf(kind: Bnb4Kind): Ladder {
  let ladder = ladders.get(kind);
  if (!ladder) {
    const values = Float32Array.from(BNB4_VALUES[kind]);
    // Zero stands before minus zero, as bitsandbytes' sort leaves them.
    const order = Uint8Array.from([...values.keys()].sort((a, b) => values[a]! - values[b]! || a - b));
    const bounds = Float32Array.from({ length: 15 }, (_, i) => Math.fround(Math.fround(values[order[i]!]! + values[order[i + 1]!]!) / 2));
    ladders.set(kind, (ladder = { order, bounds }));
  }
  return ladder;
}

/**
 * Quantizes to FP4 or NF4 in blocks, byte for byte as bitsandbytes' `quantize_4bit` (0.50, CPU): each block is divided by its
 * largest absolute value, each value goes to the nearest of sixteen.
 * @param elements of any number; the last block may be shorter
 */
export function quantizeFourBit(elements: Float32Array, kind: Bnb4Kind, blockSize = 64): FourBit {
  const { order, bounds } = ladderOf(kind);
  const count = elements.length;
  const packed = new Uint8Array(Math.ceil(count / 2));
  const absmax = new Float32Array(Math.ceil(count / blockSize));
  const fround = Math.fround;
  const tiny = fround(1e-38);
  for (let block = 0; block < absmax.length; block++) {
    const start = block * blockSize;
    const end = Math.min(count, start + blockSize);
    let largest = 0;
    for (let i = start; i < end; i++) {
      const magnitude = Math.abs(elements[i]!);
      if (magnitude > largest) largest = magnitude;
    }
    const whole = end - start === blockSize;
    const divisor = largest > tiny ? largest : tiny;
    absmax[block] = whole ? largest : divisor;
    const inverse = fround(1 / divisor);
    for (let i = start; i < end; i++) {
      // A block that is not whole is divided, the others are multiplied: the last bit can differ.
      const scaled = whole ? fround(elements[i]! * inverse) : fround(elements[i]! / divisor);
      let at = scaled > bounds[7]! ? 8 : 0;
      if (scaled > bounds[at + 3]!) at += 4;
      if (scaled > bounds[at + 1]!) at += 2;
      if (scaled > bounds[at]!) at += 1;
      packed[i >> 1]! |= (i & 1) === 0 ? order[at]! << 4 : order[at]!;
    }
  }
  // An odd number of values is filled up with a zero.
  if (count % 2 === 1) packed[packed.length - 1]! |= order[7]!;
  return { packed, absmax };
}

/** The values that the codes stand for, in float32. */
export function dequantizeFourBit({ packed, absmax }: FourBit, kind: Bnb4Kind, count: number, blockSize = 64): Float32Array {
  const values = Float32Array.from(BNB4_VALUES[kind]);
  const elements = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const byte = packed[i >> 1]!;
    elements[i] = values[(i & 1) === 0 ? byte >> 4 : byte & 15]! * absmax[Math.floor(i / blockSize)]!;
  }
  return elements;
}
