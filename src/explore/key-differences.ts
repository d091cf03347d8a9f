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
