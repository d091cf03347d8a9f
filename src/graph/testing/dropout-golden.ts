/** The scales that `dropout` multiplies by, by its arithmetic in JavaScript: what every device must agree with. */
export function dropoutScales(rows: number, columns: number, seed: number, site: number, rate: number): Float32Array {
  const threshold = Math.round(rate * 2 ** 32) - 2 ** 31;
  const row = Int32Array.from({ length: rows }, (_, i) => oddNumber(seed, site, 0, i));
  const column = Int32Array.from({ length: columns }, (_, i) => oddNumber(seed, site, 1, i));
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const noise = Math.imul(row[Math.floor(at / columns)]!, column[at % columns]!);
    return noise >= threshold ? 1 / (1 - rate) : 0;
  });
}

function oddNumber(seed: number, site: number, kind: number, index: number): number {
  const start = mix(wrap(mix(wrap(Math.imul(seed, 0x9e3779b1) + wrap(Math.imul(site, 0x85ebca6b) + kind * 0x27d4eb2f))) + 0x165667b1));
  let x = wrap(Math.imul(index, 0xc2b2ae35) + start);
  for (const constant of [0x27220a95, 0x7feb352d, 0x846ca68b]) x = wrap(mix(x) + constant);
  return wrap(2 * x + 1);
}

function mix(x: number): number {
  const squared = Math.imul(x, wrap(2 * x + 1));
  return wrap(Math.imul(squared, 65536) + Math.trunc(squared / 65536));
}

function wrap(x: number): number {
  return x | 0;
}
