import { dropoutNumbers } from "../nn/dropout-numbers.js";

/** The scales that `dropout` multiplies by, by its arithmetic in JavaScript: what every device must agree with. */
export function dropoutScales(rows: number, columns: number, seed: number, site: number, rate: number): Float32Array {
  const threshold = Math.round(rate * 2 ** 32) - 2 ** 31;
  const row = dropoutNumbers(seed, site, 0, rows);
  const column = dropoutNumbers(seed, site, 1, columns);
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const noise = Math.imul(row[Math.floor(at / columns)]!, column[at % columns]!);
    return noise >= threshold ? 1 / (1 - rate) : 0;
  });
}
