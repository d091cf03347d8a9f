import { normalQuantile, studentQuantile } from "./distributions.js";

/** How much rows that come in clusters tell. */
export interface Design {
  /**
   * The mean's cluster-robust variance over that of independent rows: 1 where clusters do not matter, the clusters'
   * size where the rows of a cluster are always alike. Estimated with two clusters added; see {@link designOf}.
   */
  readonly designEffect: number;
  /** So many independent rows tell as much. */
  readonly effectiveSampleSize: number;
  /** {@link effectiveSampleSize}, lowered for how unsurely few clusters tell it: what goes into an interval. */
  readonly adjustedSampleSize: number;
}

/** A cluster's part in a weighted mean over rows: each row of it has the same weight. */
export interface ClusterPart {
  readonly n: number;
  /** The weight of each of its rows; all rows' weights add up to 1. */
  readonly weight: number;
  /** Sum over its rows of what was observed minus the mean, times a correction for lost degrees of freedom. */
  readonly residual: number;
}

/**
 * How many clusters are added: one that is right in all its rows and one that is wrong in all, as Agresti and Coull
 * (1998) add two rows of each kind. Without them the design effect of few clusters, or of few wrong answers, is
 * estimated too low in just those samples whose accuracy is far off.
 */
const ADDED = 2;

/** The variance of a row of the added clusters. */
const ADDED_VARIANCE = 1 / 4;

/**
 * The design effect of a mean over clustered rows: the cluster-robust variance (Liang and Zeger 1986) over that of
 * independent rows, at most that of rows which are the same throughout a cluster (Kish 1965). The adjusted sample size
 * is Korn and Graubard's (1998), with Student's t on the degrees of freedom and the added clusters' two, and never
 * under the number of clusters (Kish's effective one, where sizes differ), since a cluster tells no less than one row.
 * @param rowVariance the variance of a single row around the mean
 * @param options `degreesOfFreedom`: the clusters, less the means that were estimated; `least`: the lowest design
 * effect
 *   that there can be; `level` of the interval
 * @throws {RangeError} where there are no clusters
 */
export function designOf(
  clusters: readonly ClusterPart[],
  rowVariance: number,
  options: { degreesOfFreedom: number; least?: number; level?: number },
): Design {
  const { degreesOfFreedom, least = 1, level = 0.95 } = options;
  if (clusters.length === 0) throw new RangeError("no rows have no design effect");
  const sum = (of: (cluster: ClusterPart) => number): number =>
    clusters.reduce((total, cluster) => total + of(cluster), 0);
  // Squared weights: of rows that are independent, and of rows that are the same throughout a cluster.
  const apart = sum(({ n, weight }) => n * weight ** 2);
  const together = sum(({ n, weight }) => (n * weight) ** 2);
  const robust = sum(({ weight, residual }) => (weight * residual) ** 2);
  const added = (ADDED * ADDED_VARIANCE) / clusters.length;
  const estimate = (robust + added * together) / ((rowVariance + added) * apart);
  const most = together / apart;
  // One cluster says nothing of the spread between clusters.
  const designEffect = clusters.length === 1 ? most : Math.min(most, Math.max(least, estimate));
  const effectiveSampleSize = 1 / (designEffect * apart);
  const unsure = normalQuantile((1 + level) / 2) / studentQuantile(level, degreesOfFreedom + ADDED);
  return {
    designEffect,
    effectiveSampleSize,
    adjustedSampleSize: Math.max(1 / together, effectiveSampleSize * unsure ** 2),
  };
}

/** {@link designOf} a plain mean over the rows of clusters, from each cluster's sum: the ratio estimator. */
export function designOfMean(
  clusters: readonly { n: number; sum: number }[],
  rowVariance: number,
  level = 0.95,
): Design {
  const filled = clusters.filter(({ n }) => n > 0);
  return designOf(ratioParts(filled), rowVariance, { degreesOfFreedom: filled.length - 1, level });
}

/** The parts of clusters in the mean over their rows, with the G/(G−1) correction; of one cluster without. */
export function ratioParts(clusters: readonly { n: number; sum: number }[]): ClusterPart[] {
  const rows = clusters.reduce((total, { n }) => total + n, 0);
  const mean = clusters.reduce((total, { sum }) => total + sum, 0) / rows;
  const correction = clusters.length > 1 ? Math.sqrt(clusters.length / (clusters.length - 1)) : 1;
  return clusters.map(({ n, sum }) => ({ n, weight: 1 / rows, residual: (sum - mean * n) * correction }));
}
