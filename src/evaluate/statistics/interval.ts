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

/** Rows of one cluster: how many there are and how many are correct. */
export interface Cluster {
  readonly n: number;
  readonly correct: number;
}

export interface ClusteredInterval {
  readonly interval: Interval;
  readonly clusters: number;
  /** Standard error of the proportion, robust to any correlation within a cluster. */
  readonly standardError: number;
  /** Variance over that of independent rows; 1 where clusters do not matter. */
  readonly designEffect: number;
}

/**
 * An interval of a proportion whose rows come in clusters, such as the translations of one question: the
 * cluster-robust variance of the ratio estimator (Liang and Zeger 1986, with the G/(G−1) correction) turns the rows
 * into an effective number of rows, which goes into Wilson's interval (Korn and Graubard 1998).
 */
export function clusteredInterval(clusters: readonly Cluster[], z = Z95): ClusteredInterval {
  const groups = clusters.filter((cluster) => cluster.n > 0);
  const n = groups.reduce((sum, cluster) => sum + cluster.n, 0);
  const correct = groups.reduce((sum, cluster) => sum + cluster.correct, 0);
  const count = groups.length;
  if (count < 2) return { interval: [0, 1], clusters: count, standardError: Number.NaN, designEffect: Number.NaN };
  const p = correct / n;
  const squares = groups.reduce((sum, cluster) => sum + (cluster.correct - p * cluster.n) ** 2, 0);
  const variance = ((count / (count - 1)) * squares) / (n * n);
  const independent = (p * (1 - p)) / n;
  // All right or all wrong: no spread to estimate from, so each cluster counts once.
  const effective = variance > 0 ? (p * (1 - p)) / variance : count;
  return {
    interval: wilsonInterval(p * effective, effective, z),
    clusters: count,
    standardError: Math.sqrt(variance),
    designEffect: independent > 0 ? variance / independent : n / count,
  };
}
