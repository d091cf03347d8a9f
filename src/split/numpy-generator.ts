/*
 * numpy's `default_rng(seed)`: SeedSequence, then PCG64 (XSL-RR 128/64). Follows numpy/random/bit_generator.pyx and
 * _generator.pyx as of numpy 1.24 to 2.x, whose streams are the same.
 */

const M32 = 0xffffffffn;
const M64 = (1n << 64n) - 1n;
const M128 = (1n << 128n) - 1n;
const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n;

/** Multiplication and xor-shift on unsigned 32-bit words. */
const multiply = (a: number, b: number): number => Math.imul(a, b) >>> 0;

/** The entropy pool that a seed makes: four 32-bit words. */
export function seedPool(seed: number | bigint): number[] {
  let rest = BigInt(seed);
  if (rest < 0n) throw new RangeError(`a seed must not be negative: ${seed}`);
  const entropy: number[] = [];
  do {
    entropy.push(Number(rest & M32));
    rest >>= 32n;
  } while (rest > 0n);
  let constant = 0x43b0d7e5;
  const hashmix = (value: number): number => {
    value = (value ^ constant) >>> 0;
    constant = multiply(constant, 0x931e8875);
    value = multiply(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x: number, y: number): number => {
    const result = (multiply(0xca01f9dd, x) - multiply(0x4973f715, y)) >>> 0;
    return (result ^ (result >>> 16)) >>> 0;
  };
  const pool = [0, 1, 2, 3].map((index) => hashmix(entropy[index] ?? 0));
  for (let source = 0; source < 4; source++) {
    for (let target = 0; target < 4; target++) {
      if (source !== target) pool[target] = mix(pool[target] as number, hashmix(pool[source] as number));
    }
  }
  for (const word of entropy.slice(4)) {
    for (let target = 0; target < 4; target++) pool[target] = mix(pool[target] as number, hashmix(word));
  }
  return pool;
}

/** `SeedSequence.generate_state`: so many 32-bit words. */
export function generateState(pool: readonly number[], words: number): number[] {
  let constant = 0x8b51f9dd;
  return Array.from({ length: words }, (_, index) => {
    let value = ((pool[index % pool.length] as number) ^ constant) >>> 0;
    constant = multiply(constant, 0x58f38ded);
    value = multiply(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  });
}

/** numpy's Generator over PCG64, with the calls that `datasets` makes of it. */
export class NumpyGenerator {
  private state: bigint;
  private readonly increment: bigint;
  /** The high half of the last 64-bit draw that a 32-bit draw has not used yet. */
  private buffered: number | undefined;

  constructor(seed: number | bigint) {
    const words = generateState(seedPool(seed), 8);
    const q = [0, 2, 4, 6].map((at) => BigInt(words[at] as number) | (BigInt(words[at + 1] as number) << 32n)) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    this.increment = ((((q[2] << 64n) | q[3]) << 1n) | 1n) & M128;
    this.state = 0n;
    this.step();
    this.state = (this.state + ((q[0] << 64n) | q[1])) & M128;
    this.step();
  }

  private step(): void {
    this.state = (this.state * MULTIPLIER + this.increment) & M128;
  }

  /** A draw of 64 bits. */
  uint64(): bigint {
    this.step();
    const folded = ((this.state >> 64n) ^ this.state) & M64;
    const turn = this.state >> 122n;
    return ((folded >> turn) | (folded << ((64n - turn) & 63n))) & M64;
  }

  /** A draw of 32 bits: the low half of a 64-bit draw first, then its high half. */
  uint32(): number {
    if (this.buffered !== undefined) {
      const value = this.buffered;
      this.buffered = undefined;
      return value;
    }
    const both = this.uint64();
    this.buffered = Number(both >> 32n);
    return Number(both & M32);
  }

  /** A double in [0, 1), of 53 bits. */
  random(): number {
    return Number(this.uint64() >> 11n) / 9007199254740992;
  }

  /** A whole number from 0 to `highest` by masked rejection, as `permutation` draws. */
  private interval(highest: number): number {
    if (highest === 0) return 0;
    let mask = highest;
    for (const shift of [1, 2, 4, 8, 16]) mask |= mask >>> shift;
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= highest) return value;
    }
  }

  /** A whole number from 0 to `highest` by Lemire's method, as `integers` and `choice` draw; 0 draws nothing. */
  bounded(highest: number): number {
    if (highest === 0) return 0;
    if (highest === 0xffffffff) return this.uint32();
    const exclusive = BigInt(highest) + 1n;
    let product = BigInt(this.uint32()) * exclusive;
    let low = product & M32;
    if (low < exclusive) {
      const threshold = (M32 - BigInt(highest)) % exclusive;
      while (low < threshold) {
        product = BigInt(this.uint32()) * exclusive;
        low = product & M32;
      }
    }
    return Number(product >> 32n);
  }

  /** The whole numbers under `n` in a random order. */
  permutation(n: number): Int32Array {
    return this.shuffled(Int32Array.from({ length: n }, (_, index) => index));
  }

  /** The same array in a random order, as `permutation` of an array gives it. */
  shuffled<A extends Int32Array | number[]>(values: A): A {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.interval(i);
      const held = values[i] as number;
      values[i] = values[j] as number;
      values[j] = held;
    }
    return values;
  }

  /** `choice(items, k, replace=False)`. */
  choice<T>(items: readonly T[], k: number): T[] {
    const n = items.length;
    if (k > n) throw new RangeError(`cannot choose ${k} of ${n}`);
    if (n > 10_000 && k > Math.floor(n / 50)) {
      const order = Array.from({ length: n }, (_, index) => index);
      for (let i = n - 1; i >= Math.max(n - k, 1); i--) swap(order, i, this.bounded(i));
      return order.slice(n - k).map((index) => items[index] as T);
    }
    const picked: number[] = [];
    const seen = new Set<number>();
    for (let j = n - k; j < n; j++) {
      const drawn = this.bounded(j);
      const value = seen.has(drawn) ? j : drawn;
      seen.add(value);
      picked.push(value);
    }
    for (let i = k - 1; i > 0; i--) swap(picked, i, this.bounded(i));
    return picked.map((index) => items[index] as T);
  }
}

function swap(values: number[], i: number, j: number): void {
  const held = values[i] as number;
  values[i] = values[j] as number;
  values[j] = held;
}

/** numpy's `default_rng(seed)`. */
export const generator = (seed: number | bigint): NumpyGenerator => new NumpyGenerator(seed);
