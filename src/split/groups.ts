import { languageTag, questionOf, type Row } from "../tasks/index.js";

/**
 * What makes two rows of one language exact duplicates: the same question and the same choices in the same order. Sets
 * code a language each in their way.
 */
export const contentOf = (row: Row): string =>
  JSON.stringify([languageTag(row.language), row.question.trim(), row.choices.map((choice) => choice.trim())]);

/**
 * Rows that must stay on one side of a split: the translations of a question, and what is joined to them by exact
 * duplicates in any language, across subjects too.
 * @returns the groups, each as row numbers in order, by their first row
 */
export function questionGroups(rows: readonly Row[]): number[][] {
  const parent = Int32Array.from({ length: rows.length }, (_, index) => index);
  const root = (index: number): number => {
    while (parent[index] !== index) {
      parent[index] = parent[parent[index] as number] as number;
      index = parent[index] as number;
    }
    return index;
  };
  const firstOf = new Map<string, number>();
  rows.forEach((row, index) => {
    for (const key of [`question ${questionOf(row)}`, `content ${contentOf(row)}`]) {
      const first = firstOf.get(key);
      if (first === undefined) firstOf.set(key, index);
      else parent[Math.max(root(first), root(index))] = Math.min(root(first), root(index));
    }
  });
  const groups = new Map<number, number[]>();
  rows.forEach((_, index) => {
    const at = root(index);
    const group = groups.get(at);
    if (group) group.push(index);
    else groups.set(at, [index]);
  });
  return [...groups.values()];
}
