import type { Prediction } from "./prediction.js";

/** How many rows' decision would hang on rounding. */
export interface NearTies {
  /** Rows whose letters' logits are known. */
  readonly n: number;
  /** Those among them whose two likeliest letters lie within one bfloat16 step of each other. */
  readonly count: number;
}

/** The distance between a bfloat16 number of this size and the next: it has 8 significant bits. */
export const bfloat16Step = (value: number): number =>
  2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(value)))) - 7);

/**
 * Counts rows whose two likeliest letters' logits lie within one bfloat16 step: where logits are rounded to bfloat16,
 * such two may be the same number, or change places.
 */
export function nearTies(predictions: Iterable<Pick<Prediction, "logProbabilities" | "letterLogit">>): NearTies {
  let [n, count] = [0, 0];
  for (const { logProbabilities, letterLogit } of predictions) {
    if (!logProbabilities || letterLogit === undefined) continue;
    n++;
    // Differences of log-probabilities are those of logits.
    const [first, second] = [...logProbabilities].sort((a, b) => b - a) as [number, number];
    if (first - second <= bfloat16Step(letterLogit)) count++;
  }
  return { n, count };
}
