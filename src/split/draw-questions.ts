import { sha256 } from "../base/files.js";
import { questionOf, type Row } from "../tasks/index.js";

/** What was drawn, and from how many: what an interval for the whole needs. */
export interface DrawnQuestions {
  readonly rows: Row[];
  readonly questions: number;
  readonly ofQuestions: number;
  readonly ofRows: number;
}

/**
 * Draws questions, each with all its translations, subject by subject in proportion: the questions of each subject in
 * an order drawn by lot, the subjects one behind the other, and of that list every so-many-th from a place drawn by lot
 * (systematic sampling; Cochran 1977, ch. 8). Each question is as likely as any other, and a subject's share is right
 * to one question. Which are drawn depends on the questions and the seed alone: never on the model, the languages
 * or the rows' order.
 * @param count how many questions; all where there are no more
 */
export function drawQuestions(rows: readonly Row[], count: number, seed = 42): DrawnQuestions {
  const subjects = new Map<string, string>();
  for (const row of rows) {
    const question = questionOf(row);
    const other = subjects.get(question);
    // Where translations lie under several subjects, the first by name counts.
    if (other === undefined || row.subject < other) subjects.set(question, row.subject);
  }
  const lot = (text: string): string => sha256(`${seed}/${text}`);
  const all = [...subjects]
    .map(([question, subject]) => ({ question, place: `${lot(subject)}${lot(question)}` }))
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const told = { ofQuestions: all.length, ofRows: rows.length };
  if (count >= all.length) return { rows: [...rows], questions: all.length, ...told };
  const start = Number.parseInt(lot("start").slice(0, 12), 16) / 16 ** 12;
  const drawn = new Set(
    Array.from({ length: count }, (_, i) => all[Math.floor(((start + i) * all.length) / count)]!.question),
  );
  return { rows: rows.filter((row) => drawn.has(questionOf(row))), questions: drawn.size, ...told };
}
