import type { Result } from "../result.js";

/** Log-probabilities of the letters in rows whose prompts are the same. */
export interface Alike {
  readonly rows: number;
  /** The largest difference of two. */
  readonly largest: number;
  /** Whether it is one model: no other comes out the same to this degree, whatever both are called. */
  readonly same: boolean;
}

/** Differences up to which it is one model: float32 in other orders of summation makes some 1e-4. */
const CLOSE = 1e-3;

/** Rows from which it may be said: two models agree by chance in one. */
const ENOUGH = 5;

/**
 * Holds log-probabilities of the letters against each other in some rows.
 * @returns undefined where too few rows have them in both, or they do not measure the same
 */
export function alikeIn(a: Result, b: Result, ids: readonly string[]): Alike | undefined {
  if (a.facts.scoring !== b.facts.scoring || a.facts.scoring !== "log-likelihood") return undefined;
  const wanted = new Set(ids);
  const others = new Map(b.predictions.map((one) => [one.id, one.logProbabilities]));
  let [rows, largest] = [0, 0];
  for (const { id, logProbabilities } of a.predictions) {
    const other = others.get(id);
    if (!wanted.has(id) || !logProbabilities || other?.length !== logProbabilities.length) continue;
    rows++;
    logProbabilities.forEach((value, place) => {
      // Two of minus infinity are alike; NaN is like nothing.
      const apart = value === other[place] ? 0 : Math.abs(value - other[place]!);
      largest = Math.max(largest, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
    });
  }
  return rows < ENOUGH ? undefined : { rows, largest, same: largest <= CLOSE };
}
