import type { GroupAccuracy } from "./metrics.js";
import type { Prediction } from "./prediction.js";

/** Figures by a protocol's own groups. */
export interface GroupFigures {
  /** Accuracy over the rows of each group, by the names that the protocol's original gives them. */
  readonly groups: Readonly<Record<string, GroupAccuracy>>;
  /** The plain mean of the languages' accuracies, where the protocol publishes that. */
  readonly meanOfLanguages?: number;
}

/**
 * Accuracy by group; a group counts each of its rows once.
 * @param groupsOf the groups that a row's answer counts in
 */
export function groupFigures(
  predictions: Iterable<Pick<Prediction, "language" | "subject" | "answer" | "prediction">>,
  groupsOf: (row: { readonly language: string; readonly subject: string }) => readonly string[],
  withMean = false,
): GroupFigures {
  const counts = new Map<string, { n: number; correct: number }>();
  const languages = new Map<string, { n: number; correct: number }>();
  const count = (into: Map<string, { n: number; correct: number }>, name: string, right: boolean): void => {
    const one = into.get(name) ?? { n: 0, correct: 0 };
    into.set(name, { n: one.n + 1, correct: one.correct + (right ? 1 : 0) });
  };
  for (const { language, subject, answer, prediction } of predictions) {
    count(languages, language, prediction === answer);
    for (const name of groupsOf({ language, subject })) count(counts, name, prediction === answer);
  }
  const accuracies = [...languages.values()].map(({ n, correct }) => correct / n);
  return {
    groups: Object.fromEntries(
      [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { n, correct }]) => [name, { n, accuracy: correct / n }]),
    ),
    ...(withMean && accuracies.length
      ? { meanOfLanguages: accuracies.reduce((sum, one) => sum + one, 0) / accuracies.length }
      : {}),
  };
}
