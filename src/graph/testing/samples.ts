import type { SampleMakers } from "../operation.js";
import { elementCount } from "../shape.js";

/** A generator of numbers in [0, 1) for tests (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makers of samples from a generator of numbers in [0, 1). */
export function samples(random: () => number): SampleMakers {
  const fill = (shape: number[], draw: (i: number) => number): number[] =>
    Array.from({ length: elementCount(shape) }, (_, i) => draw(i));
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const clear = (distance: number): number => {
    for (;;) {
      const x = gauss();
      if (Math.abs(x - Math.round(x)) > distance) return x;
    }
  };
  return {
    normal: (...shape) => ({ shape, data: fill(shape, gauss) }),
    positive: (...shape) => ({ shape, data: fill(shape, () => 0.5 + 1.5 * random()) }),
    away: (distance, ...shape) => ({ shape, data: fill(shape, () => clear(distance)) }),
    integers: (end, ...shape) => ({ shape, data: fill(shape, () => Math.floor(random() * end)), type: "int64" }),
    named: (sample, ...names) => ({ ...sample, names }),
  };
}
