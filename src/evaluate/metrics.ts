import { LETTERS } from "../data/index.js";
import type { Prediction } from "./prediction.js";
import type { UnreadableCounts } from "./unreadable.js";

export interface GroupAccuracy {
  n: number;
  accuracy: number;
}

/** An evaluation's part of `metrics.json`. */
export interface EvaluationMetrics {
  n: number;
  correct: number;
  accuracy: number;
  /** Rows: true A–D. Columns: predicted A–D, then unreadable. */
  confusion: number[][];
  subjects: Record<string, GroupAccuracy>;
  languages: Record<string, GroupAccuracy>;
  /** How many replies no letter could be read from; they count as wrong. */
  unreadable: number;
  /** The same by reason. */
  unreadableBy: UnreadableCounts;
}

/** Counts predictions as they come; accuracy of nothing is 0. */
export function evaluationMetrics(
  predictions: Iterable<Pick<Prediction, "answer" | "prediction" | "unreadable" | "subject" | "language">>,
): EvaluationMetrics {
  const confusion = LETTERS.map(() => [0, 0, 0, 0, 0]);
  const subjects = new Map<string, { n: number; correct: number }>();
  const languages = new Map<string, { n: number; correct: number }>();
  const reasons: UnreadableCounts = { cut: 0, empty: 0, onlyReasoning: 0, withoutLetter: 0 };
  let n = 0;
  for (const { answer, prediction, unreadable = "withoutLetter", subject, language } of predictions) {
    if (prediction === null) reasons[unreadable]++;
    const column = prediction === null ? LETTERS.length : LETTERS.indexOf(prediction);
    const row = confusion[LETTERS.indexOf(answer)] as number[];
    row[column] = (row[column] as number) + 1;
    count(subjects, subject, prediction === answer);
    count(languages, language, prediction === answer);
    n++;
  }
  const correct = confusion.reduce((sum, row, index) => sum + (row[index] as number), 0);
  return {
    n,
    correct,
    accuracy: n ? correct / n : 0,
    confusion,
    subjects: accuracies(subjects),
    languages: accuracies(languages),
    unreadable: confusion.reduce((sum, row) => sum + (row[LETTERS.length] as number), 0),
    unreadableBy: reasons,
  };
}

function count(groups: Map<string, { n: number; correct: number }>, name: string, correct: boolean): void {
  const group = groups.get(name);
  if (group) {
    group.n++;
    group.correct += correct ? 1 : 0;
  } else groups.set(name, { n: 1, correct: correct ? 1 : 0 });
}

const accuracies = (groups: Map<string, { n: number; correct: number }>): Record<string, GroupAccuracy> =>
  Object.fromEntries(
    [...groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { n, correct }]) => [name, { n, accuracy: correct / n }]),
  );
