import { sha256 } from "../base/files.js";
import { questionOf, type Row } from "../tasks/index.js";
import { contentOf } from "./groups.js";
import type { Splits } from "./splits.js";

/** How many rows of a part have a twin in train. */
export interface LeakCounts {
  readonly rows: number;
  /** Rows of which train holds a translation: the same question in another language, or of another set. */
  readonly translationInTrain: number;
  /** Rows of which train holds an exact duplicate: same language, question and choices. */
  readonly duplicateInTrain: number;
  readonly either: number;
}

export interface LeakAudit {
  readonly test: LeakCounts;
  readonly validation: LeakCounts;
  /** The test part by language. */
  readonly testByLanguage: Readonly<Record<string, LeakCounts>>;
  /** Ids of test rows with no twin in train: an accuracy on these cannot be remembered. */
  readonly cleanTestIds: readonly string[];
}

/** Counts the leak of a split. */
export function auditLeak(splits: Splits): LeakAudit {
  const questions = new Map<string, Set<string>>();
  const contents = new Set<string>();
  for (const row of splits.train) {
    const ids = questions.get(questionOf(row)) ?? new Set();
    questions.set(questionOf(row), ids.add(row.id));
    contents.add(sha256(contentOf(row)));
  }
  const hasTranslation = (row: Row): boolean => [...(questions.get(questionOf(row)) ?? [])].some((id) => id !== row.id);
  const hasDuplicate = (row: Row): boolean => contents.size > 0 && contents.has(sha256(contentOf(row)));
  const count = (rows: readonly Row[]): LeakCounts => ({
    rows: rows.length,
    translationInTrain: rows.filter(hasTranslation).length,
    duplicateInTrain: rows.filter(hasDuplicate).length,
    either: rows.filter((row) => hasTranslation(row) || hasDuplicate(row)).length,
  });
  const languages = [...new Set(splits.test.map((row) => row.language))];
  return {
    test: count(splits.test),
    validation: count(splits.validation),
    testByLanguage: Object.fromEntries(
      languages.map((language) => [language, count(splits.test.filter((row) => row.language === language))]),
    ),
    // Made when it is asked for: it may name every test row.
    get cleanTestIds() {
      return splits.test.filter((row) => !hasTranslation(row) && !hasDuplicate(row)).map((row) => row.id);
    },
  };
}
