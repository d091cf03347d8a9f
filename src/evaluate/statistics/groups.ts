import { collectGarbageAbove } from "../../base/garbage.js";
import { categoryOf } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import { type Accuracy, accuracyOf } from "./accuracy.js";
import { isCorrect, questionClusters } from "./cluster.js";
import { type Interval, macroInterval } from "./interval.js";
import { effectiveCounts, shrink } from "./shrinkage.js";

export interface SubjectAccuracy extends Accuracy {
  readonly subject: string;
  readonly category: string;
  /** Drawn towards the mean of all subjects, for ranking. */
  readonly shrunken: number;
}

/** By shrunken accuracy, best first. */
export function subjectAccuracies(predictions: readonly Prediction[]): readonly SubjectAccuracy[] {
  const subjects = group(predictions, bySubject);
  const shrunken = shrink(effectiveCounts(subjects.map(([, rows]) => questionClusters(rows)))).estimates;
  return subjects
    .map(([subject, rows], index) => ({
      subject,
      category: categoryOfAnswer(rows[0]!),
      ...accuracyOf(rows),
      shrunken: shrunken[index]!,
    }))
    .sort((a, b) => b.shrunken - a.shrunken || (a.subject < b.subject ? -1 : 1));
}

/** By name. */
export const languageAccuracies = (
  predictions: readonly Prediction[],
): readonly (Accuracy & { readonly language: string })[] =>
  group(predictions, (one) => one.language).map(([language, rows]) => {
    const accuracy = accuracyOf(rows);
    // The clusters of a language's questions live just long enough to become old.
    collectGarbageAbove(LEFT_BYTES);
    return { language, ...accuracy };
  });

/** Bytes of groups that are done with. */
const LEFT_BYTES = 8 << 20;

/** By name. */
export const categoryAccuracies = (
  predictions: readonly Prediction[],
): readonly (Accuracy & { readonly category: string })[] =>
  group(predictions, categoryOfAnswer).map(([category, rows]) => ({ category, ...accuracyOf(rows) }));

/** The mean over subjects, each counting the same; 0 of none. */
export function macroAccuracy(predictions: readonly Prediction[]): number {
  const subjects = group(predictions, bySubject);
  if (subjects.length === 0) return 0;
  return subjects.reduce((sum, [, rows]) => sum + rows.filter(isCorrect).length / rows.length, 0) / subjects.length;
}

/** The 95 % interval of {@link macroAccuracy}, clustered by question. */
export const macroAccuracyInterval = (predictions: readonly Prediction[]): Interval =>
  macroInterval(group(predictions, bySubject).map(([, rows]) => questionClusters(rows)));

const bySubject = ({ subject }: Prediction): string => subject;

/** A row's category as its set has it, or MMLU's. */
const categoryOfAnswer = ({ category, subject }: Prediction): string => category ?? categoryOf(subject);

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
