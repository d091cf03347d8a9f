import { lettersOf, OPTION_LETTERS } from "../tasks/index.js";
import type { Prediction } from "./prediction.js";
import { optionsOf } from "./row-facts.js";
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
  /** Rows: true A, B …, as far as the widest question has options. Columns: predicted A, B …, then unreadable. */
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
  predictions: Iterable<Pick<Prediction, "answer" | "prediction" | "unreadable" | "subject" | "language" | "options">>,
): EvaluationMetrics {
  // As wide as a question can be; the letters that none has are cut off at the end.
  const counts = OPTION_LETTERS.map(() => OPTION_LETTERS.map(() => 0));
  const unread = OPTION_LETTERS.map(() => 0);
  let widest: number | undefined;
  const subjects = new Map<string, { n: number; correct: number }>();
  const languages = new Map<string, { n: number; correct: number }>();
  const reasons: UnreadableCounts = { cut: 0, empty: 0, onlyReasoning: 0, withoutLetter: 0 };
  let n = 0;
  for (const one of predictions) {
    const { answer, prediction, unreadable = "withoutLetter", subject, language } = one;
    const truth = OPTION_LETTERS.indexOf(answer);
    if (prediction === null) {
      unread[truth]!++;
      reasons[unreadable]++;
    } else counts[truth]![OPTION_LETTERS.indexOf(prediction)]!++;
    widest = Math.max(widest ?? 0, optionsOf(one));
    count(subjects, subject, prediction === answer);
    count(languages, language, prediction === answer);
    n++;
  }
  const letters = lettersOf(widest ?? optionsOf({}));
  const confusion = letters.map((_, truth) => [...counts[truth]!.slice(0, letters.length), unread[truth]!]);
  const correct = confusion.reduce((sum, row, index) => sum + (row[index] as number), 0);
  return {
    n,
    correct,
    accuracy: n ? correct / n : 0,
    confusion,
    subjects: accuracies(subjects),
    languages: accuracies(languages),
    unreadable: unread.reduce((sum, count) => sum + count, 0),
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
