import type { PairedCluster } from "./bootstrap.js";
import { designOfMean } from "./design-effect.js";
import { normalQuantile } from "./distributions.js";
import type { Interval } from "./interval.js";

/**
 * McNemar's exact test with the question as the unit: if the runs are alike, a question's difference (how many more of
 * its rows the second got right) is as likely to be turned round as not, so the sum over questions has the distribution
 * of the sum of all differences with random signs. Two-sided, computed whole, no resampling. Where each question has
 * one row it is {@link mcnemarExact} (Fisher's randomization test of paired data; Edgington and Onghena 2007, ch. 6).
 * @param differences one whole number a question
 */
export function clusteredMcnemarExact(differences: readonly number[]): number {
  const sizes = differences.map(Math.abs).filter((size) => size > 0);
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const most = sizes.reduce((sum, size) => sum + size, 0);
  if (observed === 0) return 1;
  // chances[most + k] is the chance that the signed sum so far is k.
  let chances = new Float64Array(2 * most + 1);
  chances[most] = 1;
  let reach = 0;
  for (const size of sizes) {
    const next = new Float64Array(2 * most + 1);
    for (let k = most - reach; k <= most + reach; k++) {
      const half = (chances[k] as number) / 2;
      if (half === 0) continue;
      next[k - size] = (next[k - size] as number) + half;
      next[k + size] = (next[k + size] as number) + half;
    }
    chances = next;
    reach += size;
  }
  let tail = 0;
  for (let k = observed; k <= most; k++) tail += (chances[most + k] as number) + (chances[most - k] as number);
  return Math.min(1, tail);
}

/**
 * An interval of a paired difference of accuracies that holds for few questions too: Bonett and Price's (2012), one
 * pair added to each kind of disagreement, at the effective sample size that {@link designOfMean} gives for the
 * questions' differences. How it covers: docs/statistics.md.
 * @param onlyFirst rows that only the first got right
 * @param onlySecond rows that only the second got right
 * @returns [−1, 1] where there are no rows.
 */
export function pairedDifferenceInterval(
  clusters: readonly PairedCluster[],
  onlyFirst: number,
  onlySecond: number,
  level = 0.95,
): Interval {
  const n = clusters.reduce((sum, cluster) => sum + cluster.n, 0);
  if (n === 0) return [-1, 1];
  const mean = (onlySecond - onlyFirst) / n;
  const { adjustedSampleSize: effective } = designOfMean(
    clusters.map((cluster) => ({ n: cluster.n, sum: cluster.difference })),
    (onlyFirst + onlySecond) / n - mean * mean,
    level,
  );
  const [first, second] = [onlyFirst, onlySecond].map((rows) => ((rows / n) * effective + 1) / (effective + 2)) as [
    number,
    number,
  ];
  const half = normalQuantile((1 + level) / 2) * Math.sqrt((second + first - (second - first) ** 2) / (effective + 2));
  return [Math.max(-1, second - first - half), Math.min(1, second - first + half)];
}
