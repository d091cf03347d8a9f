/** What is said of one set of answers: one more statistic is a file here and a line in this one. */
import { collectGarbage } from "../../base/garbage.js";
import type { Prediction } from "../prediction.js";
import { unreadableCounts } from "../unreadable.js";
import { accuracyOf } from "./accuracy.js";
import { accuracyBounds, cutShare } from "./bounds.js";
import { calibration } from "./calibration.js";
import { questionClusters } from "./cluster.js";
import {
  categoryAccuracies,
  languageAccuracies,
  macroAccuracy,
  macroAccuracyInterval,
  subjectAccuracies,
} from "./groups.js";
import { clusteredInterval } from "./interval.js";
import { letterBias, positionBias } from "./letters.js";

/**
 * A statistic of one stage's predictions; of none too. What JSON cannot hold, it does not give; undefined leaves it
 * out.
 */
export type Statistic<T = unknown> = (predictions: readonly Prediction[]) => T;

/** By the names that `metrics.json` gives them, in its order. */
export const statistics = {
  overall: accuracyOf,
  /** The 95 % interval with the translations of a question as one cluster. */
  clustered: (predictions) => clusteredInterval(questionClusters(predictions)),
  macroAccuracy,
  macroInterval: macroAccuracyInterval,
  unreadableShare: (predictions) =>
    predictions.length ? predictions.filter(({ prediction }) => prediction === null).length / predictions.length : 0,
  /** How many replies have no readable letter, by reason. */
  unreadableBy: unreadableCounts,
  /** The accuracy were the unreadable wrong, drawn by lot, right. */
  bounds: accuracyBounds,
  /** Replies that ended at the limit of tokens, readable or not. */
  cutShare,
  languages: languageAccuracies,
  categories: categoryAccuracies,
  subjects: subjectAccuracies,
  letters: letterBias,
  positionBias,
  calibration,
} as const satisfies Readonly<Record<string, Statistic>>;

/** Everything that is said of one set of answers, with how sure it is: a value for each of {@link statistics}. */
export type EvaluationStatistics = {
  readonly [Name in keyof typeof statistics]: ReturnType<(typeof statistics)[Name]>;
};

/** The statistics of one stage's predictions. */
export const evaluationStatistics = (predictions: readonly Prediction[]): EvaluationStatistics =>
  Object.fromEntries(
    Object.entries(statistics).map(([name, statistic]) => {
      const value = statistic(predictions);
      if (predictions.length >= MANY) collectGarbage();
      return [name, value];
    }),
  ) as EvaluationStatistics;

/** Predictions whose groups are so large that what one statistic has left is taken back before the next. */
const MANY = 50_000;
