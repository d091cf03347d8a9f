import { lettersOf, OPTION_LETTERS } from "./row.js";
import type { Task, TaskColumns } from "./task.js";

/**
 * A user's own questions, in one file; which columns hold what is told by the configuration or guessed from their
 * names.
 */
export const ownRows = {
  name: "own-rows",
  description: "own rows: questions of two to ten options in a .csv, .jsonl or .parquet file",
  languages: {},
  file: () => "",
  columns: { question: "question", options: "options", answer: "answer" },
  answers: "letter",
  letters: lettersOf(OPTION_LETTERS.length),
  everyOption: false,
  emptyCells: "refused",
  idPrefix: "own-rows",
  translations: "none",
} as const satisfies Task;

/** Whether a source is named as a file of own rows. */
export const isOwnFile = (source: string): boolean => /\.(csv|jsonl|ndjson|parquet)$/i.test(source);

/** Names of columns that say what they hold, the likelier first; compared without case and signs. */
const NAMES = {
  question: ["question", "prompt", "query", "stem", "input", "text"],
  answer: [
    "answer",
    "label",
    "correct",
    "correctanswer",
    "correctoption",
    "answerkey",
    "answeridx",
    "answerindex",
    "target",
    "gold",
  ],
  subject: ["subject", "topic", "category", "domain", "course"],
  category: ["subjectcategory", "category", "domain"],
  language: ["language", "lang", "locale"],
  index: ["questionid", "id", "index", "sampleid", "unnamed0"],
  key: ["key", "questionkey"],
} as const;

type Written = (index: number) => string;
const letter: Written = (index) => String.fromCharCode(97 + index);

/** Names of the columns of options, each a row of ways to write A, B and so on; then those of a list of them. */
const OPTIONS: readonly Written[] = [
  letter,
  ...["option", "choice", "answer", "opt"].flatMap((word) => [
    (index: number) => `${word}${letter(index)}`,
    (index: number) => `${word}${index}`,
    (index: number) => `${word}${index + 1}`,
  ]),
];
const LISTS = ["options", "choices", "answers"];

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

/**
 * What columns of a file hold by their names.
 * @returns the parts that could be told; `options` has two names or more, or is one list's
 */
export function guessedColumns(names: readonly string[]): Partial<TaskColumns> {
  const byPlain = new Map([...names].reverse().map((name) => [plain(name), name]));
  const options =
    OPTIONS.map((write) => optionColumns(byPlain, write)).find((found) => found.length >= 2) ??
    LISTS.map((name) => byPlain.get(name)).find((found) => found !== undefined);
  const taken = new Set<string>(typeof options === "string" ? [options] : options);
  const guessed: Record<string, string | readonly string[]> = options === undefined ? {} : { options };
  for (const [part, words] of Object.entries(NAMES)) {
    const name = words.map((word) => byPlain.get(word)).find((found) => found !== undefined && !taken.has(found));
    if (name === undefined) continue;
    guessed[part] = name;
    taken.add(name);
  }
  return guessed;
}

function optionColumns(byPlain: ReadonlyMap<string, string>, write: Written): string[] {
  const found: string[] = [];
  for (let index = 0; index < OPTION_LETTERS.length; index++) {
    const name = byPlain.get(write(index));
    if (name === undefined) break;
    found.push(name);
  }
  return found;
}

/**
 * The column that goes on behind the guessed options and is none of them: an eleventh one, or D where there is no C;
 * undefined where there is none. Its texts would be left out of every question.
 */
export function columnBehindOptions(names: readonly string[], options: readonly string[]): string | undefined {
  const byPlain = new Map([...names].reverse().map((name) => [plain(name), name]));
  const write = OPTIONS.find((one) => optionColumns(byPlain, one)[0] === options[0]);
  const next = options.length === OPTION_LETTERS.length ? options.length : options.length + 1;
  return write && byPlain.get(write(next));
}
