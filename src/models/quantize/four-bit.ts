import { BNB4_VALUES, type Bnb4Kind } from "../../graph/bnb4/index.js";

/** A matrix in 4 bits, as bitsandbytes holds it. */
export interface FourBit {
  /** Two codes a byte, the first in the high half. */
  readonly packed: Uint8Array;
  /** The largest absolute value of each block. */
  readonly absmax: Float32Array;
}

/**
 * The sixteen values from the least to the greatest, to be climbed without comparing with all midpoints between them:
 * the range from -1 to 1 in stretches so short that none has two midpoints.
 */
interface Ladder {
  /** Codes in the order of their values. */
  readonly order: Uint8Array;
  /** How many midpoints lie below a stretch. */
  readonly below: Uint8Array;
  /** The midpoint within a stretch, or Infinity. */
  readonly within: Float32Array;
}

/** Stretches in a range of one. */
const STRETCHES = 1024;

const ladders = new Map<Bnb4Kind, Ladder>();

function ladderOf(kind: Bnb4Kind): Ladder {
  let ladder = ladders.get(kind);
  if (!ladder) {
    const values = Float32Array.from(BNB4_VALUES[kind]);
    // Zero stands before minus zero, as bitsandbytes' sort leaves them.
    const order = Uint8Array.from([...values.keys()].sort((a, b) => values[a]! - values[b]! || a - b));
    const bounds = Float32Array.from({ length: 15 }, (_, i) =>
      Math.fround(Math.fround(values[order[i]!]! + values[order[i + 1]!]!) / 2),
    );
    const edges = Float64Array.from({ length: 2 * STRETCHES + 1 }, (_, i) => i / STRETCHES - 1);
    const below = Uint8Array.from(edges, (edge) => bounds.filter((bound) => bound < edge).length);
    const within = Float32Array.from(
      edges,
      (edge) => bounds.find((bound) => bound >= edge && bound < edge + 1 / STRETCHES) ?? Infinity,
    );
    ladders.set(kind, (ladder = { order, below, within }));
  }
  return ladder;
}

/**
 * Quantizes to FP4 or NF4 in blocks, byte for byte as bitsandbytes' `quantize_4bit` (0.50, CPU): each block is divided
 * by its largest absolute value, each value goes to the nearest of sixteen.
 * @param elements of any number; the last block may be shorter
 * @param blockSize even
 */
export function quantizeFourBit(elements: Float32Array, kind: Bnb4Kind, blockSize = 64): FourBit {
  const { order, below, within } = ladderOf(kind);
  const count = elements.length;
  const packed = new Uint8Array(Math.ceil(count / 2));
  const absmax = new Float32Array(Math.ceil(count / blockSize));
  const fround = Math.fround;
  const tiny = fround(1e-38);
  const codeOf = (scaled: number): number => {
    const stretch = ((scaled + 1) * STRETCHES) | 0;
    return order[below[stretch]! + (scaled > within[stretch]! ? 1 : 0)]!;
  };
  for (let block = 0; block < absmax.length; block++) {
    const start = block * blockSize;
    const end = Math.min(count, start + blockSize);
    let largest = 0;
    for (let i = start; i < end; i++) {
      const magnitude = Math.abs(elements[i]!);
      if (magnitude > largest) largest = magnitude;
    }
    const whole = end - start === blockSize;
    const divisor = Math.max(largest, tiny);
    absmax[block] = whole ? largest : divisor;
    const inverse = fround(1 / divisor);
    if (whole)
      for (let i = start; i < end; i += 2)
        packed[i >> 1] = (codeOf(fround(elements[i]! * inverse)) << 4) | codeOf(fround(elements[i + 1]! * inverse));
    // A block that is not whole is divided, the others are multiplied: the last bit can differ.
    else for (let i = start; i < end; i++) packed[i >> 1]! |= codeOf(fround(elements[i]! / divisor)) << (i & 1 ? 0 : 4);
  }
  // An odd number of values is filled up with a zero.
  if (count % 2 === 1) packed[packed.length - 1]! |= codeOf(0);
  return { packed, absmax };
}

/** The values that the codes stand for, in float32. */
export function dequantizeFourBit(
  { packed, absmax }: FourBit,
  kind: Bnb4Kind,
  count: number,
  blockSize = 64,
): Float32Array {
  const values = Float32Array.from(BNB4_VALUES[kind]);
  const elements = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const byte = packed[i >> 1]!;
    elements[i] = values[(i & 1) === 0 ? byte >> 4 : byte & 15]! * absmax[Math.floor(i / blockSize)]!;
  }
  return elements;
}
