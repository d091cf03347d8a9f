import { generator } from "../../split/index.js";
import type { Interval } from "./interval.js";

/** One cluster's rows and the sum over them of (second correct − first correct). */
export interface PairedCluster {
  readonly n: number;
  readonly difference: number;
}

/**
 * The 95 % percentile interval of a paired difference of accuracies, by resampling whole clusters with replacement
 * (Efron and Tibshirani 1993, ch. 13; clusters as in Field and Welsh 2007). The same seed gives the same interval.
 * It is too narrow where few questions are there, or few changed: {@link pairedDifferenceInterval} is the one to show.
 */
export function pairedBootstrap(
  clusters: readonly PairedCluster[],
  options: { resamples?: number; seed?: number } = {},
): Interval {
  const { resamples = 4000, seed = 42 } = options;
  if (clusters.length === 0) return [Number.NaN, Number.NaN];
  const draw = generator(seed);
  const rows = Float64Array.from(clusters, (cluster) => cluster.n);
  const sums = Float64Array.from(clusters, (cluster) => cluster.difference);
  const differences = new Float64Array(resamples);
  for (let b = 0; b < resamples; b++) {
    let [n, sum] = [0, 0];
    for (let i = 0; i < clusters.length; i++) {
      const picked = draw.bounded(clusters.length - 1);
      n += rows[picked] as number;
      sum += sums[picked] as number;
    }
    differences[b] = sum / n;
  }
  differences.sort();
  const at = (share: number): number =>
    differences[Math.min(resamples - 1, Math.max(0, Math.round(share * (resamples - 1))))] as number;
  return [at(0.025), at(0.975)];
}
