import { ratioParts } from "./design-effect.js";
import { logGamma } from "./distributions.js";
import type { Cluster } from "./interval.js";

/**
 * Accuracies of groups of different sizes, made comparable: each is drawn towards the mean of all, the more so the
 * fewer its rows. An empirical-Bayes beta-binomial: the prior's mean is the pooled accuracy, its weight (in rows) the
 * one under which the observed counts are most likely (Griffiths 1973).
 */
export interface Shrinkage {
  /** The prior's mean. */
  readonly mean: number;
  /** How many rows the prior is worth; Infinity where the groups differ no more than chance. */
  readonly weight: number;
  readonly estimates: readonly number[];
}

/**
 * Shrinks the groups' accuracies.
 * @param groups rows and correct ones of each group; fractions where rows are not independent: {@link effectiveCounts}
 */
export function shrink(groups: readonly { n: number; correct: number }[]): Shrinkage {
  const n = groups.reduce((sum, group) => sum + group.n, 0);
  const correct = groups.reduce((sum, group) => sum + group.correct, 0);
  const mean = n === 0 ? 0 : correct / n;
  if (mean === 0 || mean === 1) return { mean, weight: Number.POSITIVE_INFINITY, estimates: groups.map(() => mean) };
  const likelihood = (logWeight: number): number => {
    const weight = Math.exp(logWeight);
    return groups.reduce(
      (sum, group) =>
        sum +
        logRising(mean * weight, group.correct) +
        logRising((1 - mean) * weight, group.n - group.correct) -
        logRising(weight, group.n),
      0,
    );
  };
  const widest = Math.log(1e6);
  const logWeight = maximise(likelihood, Math.log(0.1), widest);
  // At the search's edge the data do not tell the groups apart.
  const weight = logWeight > widest - 0.01 ? Number.POSITIVE_INFINITY : Math.exp(logWeight);
  const estimates = groups.map((group) =>
    weight === Number.POSITIVE_INFINITY ? mean : (group.correct + mean * weight) / (group.n + weight),
  );
  return { mean, weight, estimates };
}

/** log of x (x+1) … (x+k−1), for fractions too. */
const logRising = (x: number, k: number): number => logGamma(x + k) - logGamma(x);

/** Golden-section search of a function with one maximum. */
function maximise(f: (x: number) => number, low: number, high: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
  let [fc, fd] = [f(c), f(d)];
  while (b - a > 1e-4) {
    if (fc > fd) {
      [b, d, fd] = [d, c, fc];
      c = b - ratio * (b - a);
      fc = f(c);
    } else {
      [a, c, fc] = [c, d, fd];
      d = a + ratio * (b - a);
      fd = f(d);
    }
  }
  return (a + b) / 2;
}

/**
 * The correlation of two rows of one cluster around their group's accuracy, pooled over groups: the moment estimator of
 * the beta-binomial's, from 0 to 1.
 * @param groups the clusters of each group
 */
export function intraclassCorrelation(groups: readonly (readonly Cluster[])[]): number {
  let [between, possible] = [0, 0];
  for (const clusters of groups) {
    const filled = clusters.filter(({ n }) => n > 0);
    if (filled.length < 2) continue;
    const rows = filled.reduce((sum, { n }) => sum + n, 0);
    const p = filled.reduce((sum, { correct }) => sum + correct, 0) / rows;
    const squares = ratioParts(filled.map(({ n, correct }) => ({ n, sum: correct }))).reduce(
      (sum, { residual }) => sum + residual ** 2,
      0,
    );
    // The sample's p (1 − p) is too small by the variance of p.
    const variance = p * (1 - p) + squares / rows ** 2;
    between += squares - variance * rows;
    possible += variance * filled.reduce((sum, { n }) => sum + n * (n - 1), 0);
  }
  return possible > 0 ? Math.min(1, Math.max(0, between / possible)) : 0;
}

/**
 * Each group's rows and correct ones, divided by the design effect that the correlation within a cluster makes in it:
 * so many independent rows tell as much (Kish 1965).
 */
export function effectiveCounts(groups: readonly (readonly Cluster[])[]): { n: number; correct: number }[] {
  const correlation = intraclassCorrelation(groups);
  return groups.map((clusters) => {
    const sum = (of: (cluster: Cluster) => number): number => clusters.reduce((all, one) => all + of(one), 0);
    const rows = sum(({ n }) => n);
    const effect = rows > 0 ? 1 + (sum(({ n }) => n * n) / rows - 1) * correlation : 1;
    return { n: rows / effect, correct: sum(({ correct }) => correct) / effect };
  });
}
