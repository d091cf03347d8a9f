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

/** log of x (x+1) … (x+k−1). */
function logRising(x: number, k: number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) sum += Math.log(x + i);
  return sum;
}

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
