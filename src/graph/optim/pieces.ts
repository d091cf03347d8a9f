import type { DeviceArray } from "../device.js";

/** Elements of a piece: AdamW's four arrays of it take 4 MiB, which fit a processor's cache. */
const PIECE = 262_144;

/** Under so many elements a loop is done before a graph has begun. */
export const SMALL = 16_384;

/** A large array's elements in pieces of consecutive ones. */
export function* pieces(size: number): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < size; start += PIECE) yield [start, Math.min(size, start + PIECE)];
}

/** A shape that a graph can be built of: arrays without axes are one of one element. */
export function shapeOfArray({ shape }: Pick<DeviceArray, "shape">): readonly number[] {
  return shape.length ? shape : [1];
}
