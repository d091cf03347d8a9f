import { type ClusterPart, designOf } from "./design-effect.js";
import { normalQuantile } from "./distributions.js";
import { clopperPearsonInterval, type Interval } from "./interval.js";

/*
 * The mean of groups' accuracies, each group counting the same: languages, say. Unlike subjects, languages share their
 * questions: a cluster has rows in many groups, and rows of one cluster have different weights.
 */

/** A row by numbers: which question it asks, which group it is of. */
export interface GroupedRow {
  readonly question: number;
  readonly group: number;
}

export interface GroupMean {
  readonly mean: number;
  readonly interval: Interval;
  /** Groups that have rows. */
  readonly groups: number;
}

/**
 * The mean over groups of their accuracies, with its interval clustered by question: as `clusteredInterval`, with each
 * row's weight that of its group. Of one group, or of groups of the same questions, it is that of all rows.
 * @param rows gone through three times
 * @returns [0, 1] where there are none
 */
export function groupMean(rows: Iterable<GroupedRow & { readonly right: boolean }>, level = 0.95): GroupMean {
  const tally = tallied(rows, ({ right }) => Number(right));
  if (tally.means.size === 0) return { mean: 0, interval: [0, 1], groups: 0 };
  const mean = meanOf(tally);
  const parts = partsOf(rows, tally, ({ right }) => Number(right));
  const { adjustedSampleSize } = designOf(parts, mean * (1 - mean), { degreesOfFreedom: parts.length - 1, level });
  return {
    mean,
    interval: clopperPearsonInterval(mean * adjustedSampleSize, adjustedSampleSize, level),
    groups: tally.means.size,
  };
}

/** A row that two have answered. */
export interface PairedRow extends GroupedRow {
  readonly first: boolean;
  readonly second: boolean;
}

/**
 * The second's mean over groups minus the first's, on the rows that both answered, with an interval clustered by
 * question: as `pairedDifferenceInterval`, which it is for one group.
 * @param rows gone through three times
 * @returns [−1, 1] where there are none
 */
export function pairedGroupMeanDifference(
  rows: Iterable<PairedRow>,
  level = 0.95,
): { readonly difference: number; readonly interval: Interval } {
  const of = ({ first, second }: PairedRow): number => Number(second) - Number(first);
  const tally = tallied(rows, of);
  if (tally.means.size === 0) return { difference: 0, interval: [-1, 1] };
  const difference = meanOf(tally);
  // The weights of the rows that only one of the two has right.
  const only = { first: 0, second: 0 };
  for (const row of rows) {
    if (row.first === row.second) continue;
    only[row.first ? "first" : "second"] += weightOf(tally, row.group);
  }
  const parts = partsOf(rows, tally, of);
  const { adjustedSampleSize: effective } = designOf(parts, only.first + only.second - difference ** 2, {
    degreesOfFreedom: parts.length - 1,
    level,
  });
  const [first, second] = [only.first, only.second].map((share) => (share * effective + 1) / (effective + 2)) as [
    number,
    number,
  ];
  const half = normalQuantile((1 + level) / 2) * Math.sqrt((second + first - (second - first) ** 2) / (effective + 2));
  return { difference, interval: [Math.max(-1, second - first - half), Math.min(1, second - first + half)] };
}

/**
 * The difference of two proportions that were not measured on the same rows, from their own intervals: Newcombe's
 * hybrid score interval (1998, method 10). Where they are of the same questions it is too wide rather than too narrow.
 */
export function unpairedDifferenceInterval(
  first: { readonly mean: number; readonly interval: Interval },
  second: { readonly mean: number; readonly interval: Interval },
): Interval {
  const difference = second.mean - first.mean;
  const [firstBelow, firstAbove] = [first.mean - first.interval[0], first.interval[1] - first.mean];
  const [secondBelow, secondAbove] = [second.mean - second.interval[0], second.interval[1] - second.mean];
  return [difference - Math.hypot(firstAbove, secondBelow), difference + Math.hypot(firstBelow, secondAbove)];
}

interface Tally {
  readonly counts: ReadonlyMap<number, number>;
  readonly means: ReadonlyMap<number, number>;
}

function tallied<R extends GroupedRow>(rows: Iterable<R>, of: (row: R) => number): Tally {
  const counts = new Map<number, number>();
  const sums = new Map<number, number>();
  for (const row of rows) {
    counts.set(row.group, (counts.get(row.group) ?? 0) + 1);
    sums.set(row.group, (sums.get(row.group) ?? 0) + of(row));
  }
  return { counts, means: new Map([...sums].map(([group, sum]) => [group, sum / counts.get(group)!])) };
}

const meanOf = ({ means }: Tally): number => [...means.values()].reduce((a, b) => a + b, 0) / means.size;

const weightOf = ({ counts }: Tally, group: number): number => 1 / (counts.size * counts.get(group)!);

/**
 * Each question's part in the mean. A cluster's rows have different weights here: the part is that of a cluster of
 * equal weights with the same sum of weights, the same sum of their squares and the same weighted residual, which are
 * all that `designOf` takes of it.
 */
function partsOf<R extends GroupedRow>(rows: Iterable<R>, tally: Tally, of: (row: R) => number): ClusterPart[] {
  const sums = new Map<number, { weights: number; squares: number; residual: number }>();
  for (const row of rows) {
    const weight = weightOf(tally, row.group);
    const residual = weight * (of(row) - tally.means.get(row.group)!);
    const sum = sums.get(row.question);
    if (sum) {
      sum.weights += weight;
      sum.squares += weight ** 2;
      sum.residual += residual;
    } else sums.set(row.question, { weights: weight, squares: weight ** 2, residual });
  }
  const correction = sums.size > 1 ? Math.sqrt(sums.size / (sums.size - 1)) : 1;
  return [...sums.values()].map(({ weights, squares, residual }) => {
    const weight = squares / weights;
    return { n: weights ** 2 / squares, weight, residual: (residual / weight) * correction };
  });
}
