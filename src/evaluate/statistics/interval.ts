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
  if (count === 0) return { interval: [0, 1], clusters: 0, standardError: Number.NaN, designEffect: Number.NaN };
  // One cluster tells nothing of the spread between clusters: it counts as one row.
  if (count === 1)
    return {
      interval: wilsonInterval(correct / n, 1, z),
      clusters: 1,
      standardError: Number.NaN,
      designEffect: Number.NaN,
    };
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

/**
 * The 95 % interval of a macro average, the mean over groups of their accuracies: the groups' cluster-robust variances
 * added up, turned into an effective number of rows for Wilson's interval. A group of one cluster has no variance of its own and
 * is given that of one row of the pooled accuracy, the most that it could be there.
 * @param groups the clusters of each group; a cluster lies in one group
 */
export function macroInterval(groups: readonly (readonly Cluster[])[], z = Z95): Interval {
  const filled = groups
    .map((clusters) => clusters.filter((cluster) => cluster.n > 0))
    .filter((clusters) => clusters.length > 0);
  if (filled.length === 0) return [0, 1];
  const sum = (clusters: readonly Cluster[], of: (cluster: Cluster) => number): number =>
    clusters.reduce((total, cluster) => total + of(cluster), 0);
  const rows = sum(filled.flat(), ({ n }) => n);
  const pooled = sum(filled.flat(), ({ correct }) => correct) / rows;
  let [mean, variance] = [0, 0];
  for (const clusters of filled) {
    const { standardError } = clusteredInterval(clusters, z);
    mean += sum(clusters, ({ correct }) => correct) / sum(clusters, ({ n }) => n) / filled.length;
    variance += (Number.isNaN(standardError) ? pooled * (1 - pooled) : standardError ** 2) / filled.length ** 2;
  }
  const effective = variance > 0 ? (mean * (1 - mean)) / variance : filled.flat().length;
  return wilsonInterval(mean * effective, effective, z);
}
