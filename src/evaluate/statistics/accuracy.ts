import { chanceOf } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import { optionsOf } from "../row-facts.js";
import { isCorrect, questionClusters } from "./cluster.js";
import { clusteredInterval, type Interval, wilsonInterval } from "./interval.js";

/**
 * Under so many questions a group's accuracy is marked as resting on few, however many languages they were asked in.
 */
export const FEW_QUESTIONS = 30;

/** An accuracy and how sure it is. */
export interface Accuracy {
  /** Rows. */
  readonly n: number;
  /** Different questions among them. */
  readonly questions: number;
  /** Whether there are fewer than {@link FEW_QUESTIONS}. */
  readonly fewQuestions: boolean;
  readonly correct: number;
  readonly accuracy: number;
  /** The mean accuracy of answers drawn by lot among each row's options. */
  readonly chance: number;
  /** Wilson's 95 % interval, rows taken as independent. */
  readonly interval: Interval;
  /** The 95 % interval with the translations of a question as one cluster: the one to show. */
  readonly clusteredInterval: Interval;
}

/** The mean of each row's chance; of no rows, that of MMMLU's. */
function chanceOfAnswers(predictions: readonly Prediction[]): number {
  const counts = new Map<number, number>();
  for (const one of predictions) counts.set(optionsOf(one), (counts.get(optionsOf(one)) ?? 0) + 1);
  if (counts.size === 0) return chanceOf(optionsOf({}));
  // Equal chances are not added up: a quarter stays a quarter.
  if (counts.size === 1) return chanceOf([...counts.keys()][0]!);
  return [...counts].reduce((sum, [options, n]) => sum + chanceOf(options) * n, 0) / predictions.length;
}

/** Accuracy of predictions with both intervals. */
export function accuracyOf(predictions: readonly Prediction[]): Accuracy {
  const n = predictions.length;
  const correct = predictions.filter(isCorrect).length;
  const { interval, clusters } = clusteredInterval(questionClusters(predictions));
  return {
    n,
    questions: clusters,
    fewQuestions: clusters < FEW_QUESTIONS,
    correct,
    accuracy: n ? correct / n : 0,
    chance: chanceOfAnswers(predictions),
    interval: wilsonInterval(correct, n),
    clusteredInterval: interval,
  };
}
