import { questionOf, type Row } from "../tasks/index.js";

/** A question whose true answer is not the same in every language. */
export interface KeyDifference {
  readonly question: string;
  /** Languages by the answer that they give. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
}

/** Questions whose answer keys differ between languages. */
export function keyDifferences(rows: readonly Row[]): KeyDifference[] {
  const questions = new Map<string, Map<string, string[]>>();
  for (const row of rows) {
    const answers = questions.get(questionOf(row)) ?? new Map<string, string[]>();
    questions.set(questionOf(row), answers.set(row.answer, [...(answers.get(row.answer) ?? []), row.language]));
  }
  return [...questions]
    .filter(([, answers]) => answers.size > 1)
    .map(([question, answers]) => ({ question, answers: Object.fromEntries([...answers].sort()) }));
}

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
  const byLanguage: Record<string, { exact: number; sameQuestion: number }> = {};
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
