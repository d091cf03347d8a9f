import { byNames } from "../base/named.js";
import type { Row } from "../tasks/index.js";

/** Rows that repeat others of their language. */
export interface Duplicates {
  /** Rows beyond the first with the same question and choices. */
  readonly exact: number;
  /** Rows beyond the first with the same question, whatever the choices. */
  readonly sameQuestion: number;
  /** Exact ones whose first stands in another subject. */
  readonly acrossSubjects: number;
  readonly byLanguage: Readonly<Record<string, { readonly exact: number; readonly sameQuestion: number }>>;
}

export function findDuplicates(rows: readonly Row[]): Duplicates {
  const firsts = new Map<string, Row>();
  const questions = new Set<string>();
  const byLanguage = byNames<{ exact: number; sameQuestion: number }>();
  let [exact, sameQuestion, acrossSubjects] = [0, 0, 0];
  for (const row of rows) {
    const tally = (byLanguage[row.language] ??= { exact: 0, sameQuestion: 0 });
    const content = JSON.stringify([row.language, row.question.trim(), row.choices.map((choice) => choice.trim())]);
    const first = firsts.get(content);
    if (first) {
      exact++;
      tally.exact++;
      if (first.subject !== row.subject) acrossSubjects++;
    } else firsts.set(content, row);
    const question = `${row.language}\n${row.question.trim()}`;
    if (questions.has(question)) {
      sameQuestion++;
      tally.sameQuestion++;
    }
    questions.add(question);
  }
  return { exact, sameQuestion, acrossSubjects, byLanguage };
}
