import { basename } from "node:path";
import { UserError } from "../base/errors.js";
import { printableName } from "../base/printable.js";
import {
  type AnswerForm,
  columnBehindOptions,
  guessedColumns,
  isMmluSubject,
  lettersOf,
  OPTION_LETTERS,
  ownRows,
  type Task,
  type TaskColumns,
  wholeNumber,
} from "../tasks/index.js";
import type { OwnColumns } from "./corpus.js";
import { SEPARATORS } from "./csv-bytes.js";
import { listIn } from "./exact-json.js";
import type { Cell, Table } from "./table.js";

/** What names a row's place in a key of MMLU: `anatomy/12`, or as Global-MMLU has it `anatomy/test/12`. */
const MMLU_KEY = /^([a-z_]+)\/(?:test\/)?(\d{1,9})$/;

/**
 * The task of a file of own rows: which columns hold what, and in which form.
 * @param told what the configuration says; the rest is guessed from names and values
 * @returns the task, and in words what it takes from where
 * @throws {UserError} where a part cannot be told, naming the columns that there are and the keys to set
 */
export function ownTask(table: Table, told: OwnColumns): { task: Task; words: string } {
  const names = [...table.columns.keys()];
  for (const name of Object.entries(told).flatMap(([part, name]) => (part === "answers" ? [] : (name ?? []))))
    if (!names.includes(name)) throw missing(table, `there is no column "${printableName(name)}"`);
  const columns = { ...guessedColumns(names), ...definite(told) } as Partial<TaskColumns> & { answers?: AnswerForm };
  for (const part of ["question", "options", "answer"] as const)
    if (columns[part] === undefined) throw missing(table, `no column is known to hold the ${part}`);
  if (told.options == null && Array.isArray(columns.options)) requireAllOptions(table, columns.options);
  const whole = columns as TaskColumns;
  const { answers = answerForm(table, whole), ...mapping } = columns as TaskColumns & { answers?: AnswerForm };
  const index = mapping.key === undefined ? indexOf(table, mapping) : undefined;
  const keys = mapping.key === undefined ? index?.keys : keysOf(table, mapping.key, mapping.subject);
  const task: Task = {
    ...ownRows,
    columns: {
      ...mapping,
      index: mapping.key === undefined ? index?.column : mapping.key,
      key: mapping.key !== undefined && keys?.translations !== "mmlu" ? mapping.key : undefined,
    },
    answers,
    letters: lettersOf(Array.isArray(mapping.options) ? mapping.options.length : OPTION_LETTERS.length),
    idPrefix: basename(table.path),
    cleanAnswer: answers === "letter" ? cleanLetter : answers === "text" ? undefined : (cell) => cell.trim(),
    indexOf: keys?.indexOf ?? wholeNumber,
    indexForm: keys?.form ?? "a whole number",
    translations: keys?.translations ?? "none",
  };
  const between = table.separator === undefined ? "commas" : SEPARATORS.get(table.separator);
  return { task, words: [...(between === "commas" ? [] : [`separated by ${between}`]), wordsOf(task)].join("; ") };
}

/** @throws {UserError} where a column looks like one more option, which questions would be asked without */
function requireAllOptions(table: Table, options: readonly string[]): void {
  const more = columnBehindOptions([...table.columns.keys()], options);
  if (more === undefined || textsOf(table.columns.get(more)!).length === 0) return;
  const most = options.length === OPTION_LETTERS.length ? `, and a question has ${options.length} at most` : "";
  throw missing(table, `"${options.join('", "')}" look like options, and so does "${printableName(more)}"${most}`);
}

const definite = (told: OwnColumns): Partial<OwnColumns> =>
  Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null && value !== undefined));

const missing = (table: Table, what: string): UserError =>
  new UserError(`${table.path}: ${what}`, {
    hint:
      `There are: ${printableName([...table.columns.keys()].join(", "), 500)}. Say which holds what, such as --set ` +
      `'data.columns={"question":"…","options":["…","…"],"answer":"…"}'.`,
  });

const textsOf = (column: readonly Cell[]): string[] =>
  column.flatMap((cell) => (typeof cell === "string" && cell.trim() !== "" ? [cell] : []));

const cleanLetter = (cell: string): string => {
  const text = cell.trim().toUpperCase();
  return /^\(?([A-J])[).]?$/.exec(text)?.[1] ?? text;
};

/**
 * In which form a column names the right option.
 * @throws {UserError} where numbers may count from 0 or from 1, or letters or numbers may be options' own texts
 */
function answerForm(table: Table, columns: TaskColumns): AnswerForm {
  const { answer, options } = columns;
  const cells = textsOf(table.columns.get(answer)!);
  const numbered = cells.every((cell) => /^\d+(\.0+)?$/.test(cell.trim()));
  if (!numbered && !cells.every((cell) => /^[A-J]$/.test(cleanLetter(cell)))) return "text";
  const numbers = new Set(cells.map(Number));
  let form: AnswerForm | undefined;
  if (!numbered) form = "letter";
  else if (numbers.has(0)) form = "number-from-0";
  else if (Array.isArray(options) && numbers.has(options.length)) form = "number-from-1";
  const what = numbered ? "numbers the options, from 0 or from 1" : "names the options by their letters";
  const hint = numbered ? "number-from-0, or number-from-1" : "letter";
  if (form !== undefined && !mayBeTexts(table, columns, form)) return form;
  throw new UserError(
    `${table.path}: the column "${answer}" ${what}${form === undefined ? "" : ", or gives their texts"}`,
    { hint: `Say so: --set data.columns.answers=${hint}${form === undefined ? "" : ", or text"}.` },
  );
}

/** Whether each answer is the text of one of its row's options as well, and of another one than the form says. */
function mayBeTexts(table: Table, { answer, options }: TaskColumns, form: AnswerForm): boolean {
  let other = false;
  const all = table.columns.get(answer)!.every((cell, row) => {
    if (typeof cell !== "string" || cell.trim() === "") return true;
    const texts =
      typeof options === "string"
        ? (listIn(table.columns.get(options)![row]!) ?? [])
        : options.map((name) => table.columns.get(name)![row]!);
    const place = texts.findIndex((text) => typeof text === "string" && text.trim() === cell.trim());
    const named = form === "letter" ? OPTION_LETTERS.indexOf(cleanLetter(cell) as "A") : Number(cell);
    other ||= place !== named - (form === "number-from-1" ? 1 : 0);
    return place >= 0;
  });
  return all && other;
}

/** How cells name a row within its subject. */
interface Keys {
  readonly indexOf: (cell: string, subject: string) => number | undefined;
  readonly form: string;
  readonly translations: Task["translations"];
}

function indexOf(table: Table, { index, subject }: TaskColumns): { column: string; keys: Keys } | undefined {
  if (index === undefined) return undefined;
  return { column: index, keys: keysOf(table, index, subject) };
}

/**
 * MMLU's own numbers where each cell is a key of MMLU's; whole numbers; or the order in which other texts come first.
 */
function keysOf(table: Table, column: string, subjectColumn: string | undefined): Keys {
  const cells = table.columns.get(column)!;
  const subjects = subjectColumn === undefined ? undefined : table.columns.get(subjectColumn)!;
  const isMmlu = cells.every((cell, row) => {
    const subject = typeof cell === "string" ? MMLU_KEY.exec(cell)?.[1] : undefined;
    return subject !== undefined && isMmluSubject(subject) && subjects?.[row] === subject;
  });
  if (isMmlu)
    return {
      indexOf: (cell) => Number(MMLU_KEY.exec(cell)![2]),
      form: "a key of MMLU's, such as anatomy/12",
      translations: "mmlu",
    };
  if (cells.every((cell) => typeof cell === "string" && wholeNumber(cell) !== undefined))
    return { indexOf: wholeNumber, form: "a whole number", translations: "languages" };
  const places = new Map<string, number>();
  const counts = new Map<string, number>();
  return {
    indexOf: (cell, subject) => {
      if (cell === "") return undefined;
      const key = JSON.stringify([subject, cell]);
      const place = places.get(key) ?? counts.get(subject) ?? 0;
      if (!places.has(key)) counts.set(subject, place + 1);
      places.set(key, place);
      return place;
    },
    form: "a text",
    translations: "languages",
  };
}

function wordsOf({ columns, answers, translations }: Task): string {
  const { question, options, answer, subject, category, language, index, key } = columns;
  const form = { letter: "a letter", text: "the option's text", "number-from-0": "from 0", "number-from-1": "from 1" };
  return [
    `question from "${question}"`,
    typeof options === "string"
      ? `options from the list "${options}"`
      : `options from ${options.map((name) => `"${name}"`).join(", ")}`,
    `answer from "${answer}" (${form[answers]})`,
    subject === undefined ? "all of one subject" : `subject from "${subject}"`,
    ...(category === undefined ? [] : [`category from "${category}"`]),
    language === undefined ? "all of one language" : `language from "${language}"`,
    index === undefined
      ? "no key: no row translates another"
      : `${key === undefined ? "number" : "key"} from "${index}"${translations === "mmlu" ? " (MMLU's own)" : ""}`,
  ]
    .map((line) => printableName(line, 500))
    .join("; ");
}
