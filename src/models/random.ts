/** A quick generator of uniform 32-bit numbers (Chris Doty-Humphrey's sfc32), for random weights. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;
  private spare: number | undefined;

  /** @param seed a whole number below 2⁵³ @param stream another sequence for the same seed */
  constructor(seed: number, stream = 0) {
    this.a = seed | 0;
    this.b = Math.floor(seed / 2 ** 32) | 0;
    this.c = stream | 0;
    for (let i = 0; i < 15; i++) this.next();
  }

  /** A whole number from 0 up to, not including, 2³². */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    this.c |= 0;
    return t >>> 0;
  }

  /** A number from 0 up to, not including, 1. */
  uniform(): number {
    return this.next() / 2 ** 32;
  }

  /** A whole number from 0 up to, not including, n. */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** A number of the normal distribution (by the polar method). */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.spare = y * factor;
      return x * factor;
    }
  }

  /** Fills an array with normal numbers of a standard deviation. */
  fillNormal(array: Float32Array, deviation: number): Float32Array {
    for (let i = 0; i < array.length; i++) array[i] = deviation * this.normal();
    return array;
  }
}
