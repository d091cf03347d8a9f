import { designOf, designOfMean, ratioParts } from "./design-effect.js";
import { betaQuantile } from "./distributions.js";

/** A closed interval of a proportion. */
export type Interval = readonly [low: number, high: number];

/** The standard normal quantile of a two-sided 95 % interval. */
export const Z95 = 1.959963984540054;

/**
 * Wilson's score interval of a proportion (Wilson 1927; Brown, Cai and DasGupta 2001 recommend it).
 * @param n may be a fraction: an effective sample size.
 * @returns [0, 1] where n is 0.
 */
export function wilsonInterval(correct: number, n: number, z = Z95): Interval {
  if (n <= 0) return [0, 1];
  const p = correct / n;
  const z2 = z * z;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return [correct === 0 ? 0 : Math.max(0, centre - half), correct === n ? 1 : Math.min(1, centre + half)];
}

/**
 * Clopper and Pearson's exact interval of a proportion (1934): it covers in no less than the level, whatever the
 * proportion.
 * @param correct from 0 to n; both may be fractions, as an effective sample size gives them
 * @returns [0, 1] where n is 0.
 */
export function clopperPearsonInterval(correct: number, n: number, level = 0.95): Interval {
  if (n <= 0) return [0, 1];
  const tail = (1 - level) / 2;
  return [
    correct <= 0 ? 0 : betaQuantile(tail, correct, n - correct + 1),
    correct >= n ? 1 : betaQuantile(1 - tail, correct + 1, n - correct),
  ];
}

/** Rows of one cluster: how many there are and how many are correct. */
export interface Cluster {
  readonly n: number;
  readonly correct: number;
}

export interface ClusteredInterval {
  readonly interval: Interval;
  readonly clusters: number;
  /** Standard error of the proportion, robust to any correlation within a cluster; NaN of fewer than two clusters. */
  readonly standardError: number;
  /** How many times the variance of independent rows; {@link designOf}. NaN of no rows. */
  readonly designEffect: number;
  /** So many independent rows tell as much. */
  readonly effectiveSampleSize: number;
}

/**
 * An interval of a proportion whose rows come in clusters, such as the translations of one question: Clopper and
 * Pearson's at the effective sample size (Korn and Graubard 1998), whose design effect is {@link designOf}'s. Where
 * each cluster has one row it is Clopper and Pearson's own. How it covers: docs/statistics.md.
 */
export function clusteredInterval(clusters: readonly Cluster[], level = 0.95): ClusteredInterval {
  const filled = sums(clusters);
  const { n, sum } = total(filled);
  if (n === 0) {
    const unknown = { standardError: Number.NaN, designEffect: Number.NaN };
    return { interval: [0, 1], clusters: 0, ...unknown, effectiveSampleSize: 0 };
  }
  const p = sum / n;
  const { adjustedSampleSize, ...design } = designOfMean(filled, p * (1 - p), level);
  const squares = ratioParts(filled).reduce((all, { weight, residual }) => all + (weight * residual) ** 2, 0);
  return {
    interval: clopperPearsonInterval(p * adjustedSampleSize, adjustedSampleSize, level),
    clusters: filled.length,
    standardError: filled.length > 1 ? Math.sqrt(squares) : Number.NaN,
    ...design,
  };
}

/**
 * The interval of a macro average, the mean over groups of their accuracies: as {@link clusteredInterval}, with the
 * deviations taken from each group's own accuracy. A group's variance is drawn, with the weight of two clusters,
 * towards that of clusters whose rows are all alike, of the accuracy of all groups: a group of few clusters hardly
 * shows its own, and weighs as much as any other.
 * @param groups the clusters of each group; a cluster lies in one group
 */
export function macroInterval(groups: readonly (readonly Cluster[])[], level = 0.95): Interval {
  const filled = groups.map(sums).filter((clusters) => clusters.length > 0);
  if (filled.length === 0) return [0, 1];
  const mean = filled.reduce((all, clusters) => all + total(clusters).sum / total(clusters).n, 0) / filled.length;
  const rowVariance = mean * (1 - mean);
  const parts = filled.flatMap((clusters) => {
    const own = (clusters.length - 1) / (clusters.length + 1);
    return ratioParts(clusters).map(({ n, weight, residual }) => ({
      n,
      weight: weight / filled.length,
      residual: Math.sqrt(own * residual ** 2 + (1 - own) * rowVariance * n ** 2),
    }));
  });
  const { adjustedSampleSize } = designOf(parts, rowVariance, {
    degreesOfFreedom: parts.length - filled.length,
    // Groups of different accuracies leave less variance than the same rows in one.
    least: 0,
    level,
  });
  return clopperPearsonInterval(mean * adjustedSampleSize, adjustedSampleSize, level);
}

type Sum = { n: number; sum: number };

const sums = (clusters: readonly Cluster[]): Sum[] =>
  clusters.filter(({ n }) => n > 0).map(({ n, correct }) => ({ n, sum: correct }));

const total = (clusters: readonly Sum[]): Sum => ({
  n: clusters.reduce((all, { n }) => all + n, 0),
  sum: clusters.reduce((all, { sum }) => all + sum, 0),
});
