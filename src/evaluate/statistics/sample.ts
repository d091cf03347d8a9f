import { designOfMean } from "./design-effect.js";
import { type Cluster, clopperPearsonInterval, type Interval } from "./interval.js";

/**
 * An interval of the accuracy over all questions of a finite whole of which some were drawn by lot: Clopper and
 * Pearson's at the effective sample size of the drawn ones ({@link designOfMean}), which the finite population
 * correction raises: what was seen is known, and only the rest is guessed (Cochran 1977, ch. 2). Where all were drawn
 * it is the accuracy itself. Drawing by subject tells more than is taken into account.
 * @param clusters the drawn questions
 * @param questions how many there are in all, no fewer than the clusters
 */
export function intervalOfTheWhole(clusters: readonly Cluster[], questions: number, level = 0.95): Interval {
  const filled = clusters.filter(({ n }) => n > 0).map(({ n, correct }) => ({ n, sum: correct }));
  const n = filled.reduce((all, one) => all + one.n, 0);
  if (n === 0) return [0, 1];
  const p = filled.reduce((all, one) => all + one.sum, 0) / n;
  const unseen = 1 - filled.length / Math.max(questions, filled.length);
  if (unseen === 0) return [p, p];
  const effective = designOfMean(filled, p * (1 - p), level).adjustedSampleSize / unseen;
  const [low, high] = clopperPearsonInterval(p * effective, effective, level);
  // What was seen stays seen, whatever the rest is.
  return [Math.max(low, p * (1 - unseen)), Math.min(high, 1 - (1 - p) * (1 - unseen))];
}
