/**
 * The numbers that `dropout`'s mask of a site is made of, as its graph computes them: an odd int32 for each row (kind
 * 0) or column (kind 1). Made outside, they spare a graph with many sites most of its nodes.
 */
export function dropoutNumbers(seed: number, site: number, kind: 0 | 1, count: number): Int32Array {
  const start = mix(
    wrap(mix(wrap(Math.imul(seed, 0x9e3779b1) + wrap(Math.imul(site, 0x85ebca6b) + kind * 0x27d4eb2f))) + 0x165667b1),
  );
  const numbers = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    let x = wrap(Math.imul(i, 0xc2b2ae35) + start);
    x = wrap(mix(x) + 0x27220a95);
    x = wrap(mix(x) + 0x7feb352d);
    x = wrap(mix(x) + 0x846ca68b);
    numbers[i] = 2 * x + 1;
  }
  return numbers;
}

function mix(x: number): number {
  const squared = Math.imul(x, wrap(2 * x + 1));
  return wrap(Math.imul(squared, 65536) + Math.trunc(squared / 65536));
}

function wrap(x: number): number {
  return x | 0;
}
