import { categoryOf, chanceOf, type Letter } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import { lettersOfAnswers, optionsOf } from "../row-facts.js";
import { type UnreadableCounts, unreadableCounts } from "../unreadable.js";
import { type Calibration, calibration } from "./calibration.js";
import { isCorrect, questionClusters } from "./cluster.js";
import { type ClusteredInterval, clusteredInterval, type Interval, macroInterval, wilsonInterval } from "./interval.js";
import { effectiveCounts, shrink } from "./shrinkage.js";

/** Under so many questions a group's accuracy is marked as resting on few, however many languages they were asked in. */
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

export interface SubjectAccuracy extends Accuracy {
  readonly subject: string;
  readonly category: string;
  /** Drawn towards the mean of all subjects, for ranking. */
  readonly shrunken: number;
}

/** How often a letter is predicted beside how often it is right. */
export interface LetterBias {
  readonly letter: Letter;
  readonly truth: number;
  readonly predicted: number;
  /** Share of rows with this true letter that were answered right. */
  readonly recall: number | null;
  /** Predicted share minus true share, of the readable rows. */
  readonly excess: number;
}

/** Everything that is said of one set of answers, with how sure it is. */
export interface EvaluationStatistics {
  readonly overall: Accuracy;
  /** The 95 % interval with the translations of a question as one cluster. */
  readonly clustered: ClusteredInterval;
  /** The mean over subjects, each counting the same. */
  readonly macroAccuracy: number;
  /** Its 95 % interval, clustered by question. */
  readonly macroInterval: Interval;
  readonly unreadableShare: number;
  /** How many replies have no readable letter, by reason. */
  readonly unreadableBy: UnreadableCounts;
  readonly languages: readonly (Accuracy & { readonly language: string })[];
  readonly categories: readonly (Accuracy & { readonly category: string })[];
  /** By shrunken accuracy, best first. */
  readonly subjects: readonly SubjectAccuracy[];
  readonly letters: readonly LetterBias[];
  /** Half the sum of the letters' absolute excesses: the share of predictions that would have to move. */
  readonly positionBias: number;
  readonly calibration?: Calibration;
}

/** The statistics of one stage's predictions. */
export function evaluationStatistics(predictions: readonly Prediction[]): EvaluationStatistics {
  const subjects = group(predictions, (one) => one.subject);
  const clustersOfSubjects = subjects.map(([, rows]) => questionClusters(rows));
  const shrunken = shrink(effectiveCounts(clustersOfSubjects)).estimates;
  const letters = letterBias(predictions);
  return {
    overall: accuracyOf(predictions),
    clustered: clusteredInterval(questionClusters(predictions)),
    macroAccuracy: subjects.length
      ? subjects.reduce((sum, [, rows]) => sum + accuracyOf(rows).accuracy, 0) / subjects.length
      : 0,
    macroInterval: macroInterval(clustersOfSubjects),
    unreadableShare: predictions.length
      ? predictions.filter((one) => one.prediction === null).length / predictions.length
      : 0,
    unreadableBy: unreadableCounts(predictions),
    languages: group(predictions, (one) => one.language).map(([language, rows]) => ({ language, ...accuracyOf(rows) })),
    categories: group(predictions, categoryOfAnswer).map(([category, rows]) => ({
      category,
      ...accuracyOf(rows),
    })),
    subjects: subjects
      .map(([subject, rows], index) => ({
        subject,
        category: categoryOfAnswer(rows[0]!),
        ...accuracyOf(rows),
        shrunken: shrunken[index] as number,
      }))
      .sort((a, b) => b.shrunken - a.shrunken || (a.subject < b.subject ? -1 : 1)),
    letters,
    positionBias: letters.reduce((sum, letter) => sum + Math.abs(letter.excess), 0) / 2,
    calibration: calibration(predictions),
  };
}

/** A row's category as its set has it, or MMLU's. */
const categoryOfAnswer = ({ category, subject }: Prediction): string => category ?? categoryOf(subject);

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

function letterBias(predictions: readonly Prediction[]): LetterBias[] {
  const readable = predictions.filter((one) => one.prediction !== null);
  return lettersOfAnswers(predictions).map((letter) => {
    const truth = predictions.filter((one) => one.answer === letter);
    const predicted = readable.filter((one) => one.prediction === letter).length;
    const trueOfReadable = readable.filter((one) => one.answer === letter).length;
    return {
      letter,
      truth: truth.length,
      predicted,
      recall: truth.length ? truth.filter(isCorrect).length / truth.length : null,
      excess: readable.length ? (predicted - trueOfReadable) / readable.length : 0,
    };
  });
}

function group<T>(values: readonly T[], key: (value: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const name = key(value);
    const rows = groups.get(name);
    if (rows) rows.push(value);
    else groups.set(name, [value]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}
