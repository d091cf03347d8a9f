import type { DeviceArray } from "../device.js";

/** Elements of a piece: AdamW's four arrays of it take 4 MiB, which fit a processor's cache. */
const PIECE = 262_144;

/** Under so many elements a loop is done before a graph has begun. */
export const SMALL = 16_384;

/** A large array's elements in pieces of consecutive ones. */
export function* pieces(size: number): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < size; start += PIECE) yield [start, Math.min(size, start + PIECE)];
}

/** Arrays that one run of a device's program takes, and their bytes: what it makes stands beside what it reads. */
const [MOST, MOST_BYTES] = [16, 256 * 2 ** 20];

/** Consecutive things in groups of at most 16 and 256 MiB, but for one that is larger by itself. */
export function* groups<T>(all: Iterable<T>, arrayOf: (one: T) => DeviceArray): Generator<readonly T[]> {
  let group: T[] = [];
  let bytes = 0;
  for (const one of all) {
    const more = arrayOf(one).bytes;
    if (group.length === MOST || (group.length > 0 && bytes + more > MOST_BYTES)) {
      yield group;
      [group, bytes] = [[], 0];
    }
    group.push(one);
    bytes += more;
  }
  if (group.length > 0) yield group;
}

/** A shape whose sizes show when the graph runs. */
export const namedShape = (rank: number, name: string): string[] =>
  Array.from({ length: rank }, (_, axis) => `${name}.${axis}`);
