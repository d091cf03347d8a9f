import { UserError } from "../base/errors.js";
import { byNames } from "../base/named.js";
import { printableName } from "../base/printable.js";
import { OPTION_LETTERS, type Row, rowId, type Task } from "../tasks/index.js";
import { listIn } from "./exact-json.js";
import { type RowTexts, StoredRow, type StoredTexts } from "./stored-row.js";
import type { Cell, Table } from "./table.js";

/** The columns of a task's files, in the order in which they are told. */
export const columnsOf = ({ columns }: Task): string[] => {
  const { index, key, question, options, answer, subject, category, language } = columns;
  const all = [index, key, question, options, answer, subject, category, language].flat();
  return [...new Set(all.filter((name): name is string => name !== undefined))];
};

/**
 * Makes rows of the tables of one language, or of a file that names each row's language: each value is checked here,
 * once. Ids must not repeat over all tables.
 */
export class RowReader {
  readonly rows: Row[] = [];
  /** Rows whose subjects carried file-name debris. */
  cleaned = 0;
  /** Rows by subject as it is written. */
  readonly storedSubjects = new Map<string, number>();
  /** Empty cells by column, of the columns of questions and options. */
  readonly nulls = byNames<number>();
  private readonly seen = new Map<string, number>();
  private readonly parts: (Pick<Table, "path" | "length" | "place"> & { readonly start: number })[] = [];
  /** Subjects and categories, each once: a file has them on every line. */
  private readonly names = new Map<string, string>();
  private readonly ofLanguage = new Map<string, number>();
  private readonly counts = new Map<string, number>();
  private readonly optionNames: readonly string[];

  /**
   * @param language of all rows, where the task's files have no column of it
   * @param limit only so many rows of each language
   */
  constructor(
    private readonly task: Task,
    private readonly language: string,
    private readonly limit = Number.POSITIVE_INFINITY,
  ) {
    this.optionNames = [task.columns.options].flat();
    for (const column of columnsOf(task)) this.nulls[column] = 0;
  }

  /**
   * @param stored where the table's texts stay: its rows then read them when they are asked for
   * @throws {UserError} with file, line and column, where a value is not as the task says
   */
  add(table: Table, stored?: StoredTexts): void {
    const last = this.parts.at(-1);
    const { path, length, place } = table;
    this.parts.push({ path, length, place, start: last ? last.start + last.length : 0 });
    const { columns } = this.task;
    const column = (name: string | undefined): readonly Cell[] | undefined =>
      name === undefined ? undefined : table.columns.get(name);
    const cells = {
      question: column(columns.question)!,
      options: this.optionNames.map((name) => column(name)!),
      answer: column(columns.answer)!,
      subject: column(columns.subject),
      category: column(columns.category),
      language: column(columns.language),
      index: column(columns.index),
      key: column(columns.key),
    };
    const { ofLanguage } = this;
    for (let i = 0; i < table.length; i++) {
      const language = cells.language
        ? this.text(table, i, columns.language!, cells.language[i]!, "language")
        : this.language;
      const before = ofLanguage.get(language) ?? (cells.language ? 0 : this.rows.length);
      if (before >= this.limit) {
        if (!cells.language) break;
        continue;
      }
      ofLanguage.set(language, before + 1);
      this.addRow(table, i, language, cells, stored);
    }
  }

  private addRow(table: Table, i: number, language: string, cells: RowCells, stored?: StoredTexts): void {
    const { task } = this;
    const { columns } = task;
    const written = cells.subject ? this.text(table, i, columns.subject!, cells.subject[i]!, "subject") : "all";
    const subject = this.named(task.cleanSubject?.(written) ?? written);
    if (subject === "") this.fail(table, i, "the subject is empty");
    if (subject !== written) this.cleaned++;
    this.storedSubjects.set(written, (this.storedSubjects.get(written) ?? 0) + 1);
    const index = this.indexOf(table, i, language, subject, cells.index?.[i]);
    const choices = this.choices(table, i, cells.options);
    const answer = this.answer(table, i, cells.answer[i]!, choices);
    const id = rowId(task.idPrefix, language, subject, index);
    const before = this.seen.get(id);
    if (before !== undefined) {
      const first = this.parts.findLast(({ start }) => start <= before)!;
      const where = first.place(before - first.start).slice(first.path.length);
      const there = first.path === table.path ? "" : ` of ${first.path}`;
      const told = where.startsWith(": ") ? where.slice(2) : `line ${where.slice(1)}`;
      this.fail(table, i, `the row ${printableName(id)} is there twice, first on ${told}${there}`);
    }
    this.seen.set(id, this.parts.at(-1)!.start + i);
    const key = this.keyOf(table, i, cells.key?.[i], id, subject, index);
    const told = cells.category?.[i];
    const category = typeof told === "string" && told !== "" ? this.named(told) : undefined;
    const question = this.maybeEmpty(table, i, columns.question, cells.question[i]!);
    const bytes = stored && table.bytesOf?.(i);
    if (stored && bytes) {
      const { offset, length } = bytes;
      const { idPrefix } = task;
      this.rows.push(new StoredRow(stored, offset, length, idPrefix, language, subject, index, answer, key, category));
      return;
    }
    this.rows.push({
      id,
      language,
      subject,
      index,
      question,
      choices,
      answer,
      ...(key === undefined ? {} : { key }),
      ...(category === undefined ? {} : { category }),
    });
  }

  private named(name: string): string {
    const known = this.names.get(name);
    if (known === undefined) this.names.set(name, name);
    return known ?? name;
  }

  /** What the only row of a table says: as `add` has checked it before. */
  textsOf(table: Table): RowTexts {
    const { question } = this.task.columns;
    return {
      question: this.maybeEmpty(table, 0, question, table.columns.get(question)![0]!),
      choices: this.choices(
        table,
        0,
        this.optionNames.map((name) => table.columns.get(name)!),
      ),
    };
  }

  private indexOf(table: Table, i: number, language: string, subject: string, cell: Cell | undefined): number {
    const { columns, indexOf, indexForm } = this.task;
    if (columns.index === undefined) {
      const count = `${language}\0${subject}`;
      const index = this.counts.get(count) ?? 0;
      this.counts.set(count, index + 1);
      return index;
    }
    const text = typeof cell === "string" ? cell : "";
    const index = indexOf?.(text, subject);
    if (index !== undefined) return index;
    return this.fail(table, i, `the index (${columns.index}) is "${printableName(text)}", expected ${indexForm}`);
  }

  /** What the row shares with other rows of its question, where that is not its subject and index. */
  private keyOf(table: Table, i: number, cell: Cell | undefined, id: string, subject: string, index: number) {
    const { columns, idPrefix, translations } = this.task;
    if (columns.key !== undefined) {
      const key = this.text(table, i, columns.key, cell ?? null, "key");
      return key.length > 500
        ? this.fail(table, i, `the key (${columns.key}) has more than 500 characters`)
        : `key:${key}`;
    }
    if (translations === "mmlu") return undefined;
    return translations === "none" ? id : rowId("", idPrefix, subject, index);
  }

  private choices(table: Table, i: number, options: readonly (readonly Cell[])[]): string[] {
    const { task } = this;
    const names = this.optionNames;
    let cells: readonly (string | null)[];
    if (typeof task.columns.options === "string") {
      const cell = options[0]![i]!;
      const list = listIn(cell);
      if (!list) return this.fail(table, i, `the options (${names[0]}) are no list of texts`);
      cells = list;
    } else cells = options.map((column) => textIn(column[i]!));
    let count = cells.length;
    if (!task.everyOption) while (count > 0 && isEmpty(cells[count - 1]!)) count--;
    const [least, most] = [task.everyOption ? task.letters.length : 2, task.letters.length];
    if (count < least || count > most)
      this.fail(
        table,
        i,
        `there are ${count} options (${printableName(names.join(", "))}), expected ` +
          `${least === most ? most : `${least} to ${most}`}`,
      );
    return cells
      .slice(0, count)
      .map((cell, index) => (cell ? cell : this.maybeEmpty(table, i, names[index] ?? names[0]!, cell)));
  }

  private answer(table: Table, i: number, cell: Cell, choices: readonly string[]): Row["answer"] {
    const { answers, columns, cleanAnswer } = this.task;
    const text = typeof cell === "string" ? (cleanAnswer?.(cell) ?? cell) : "";
    const letters = OPTION_LETTERS.slice(0, choices.length);
    let index: number;
    let expected = `${letters.slice(0, -1).join(", ")} or ${letters.at(-1)}`;
    if (answers === "letter") index = (letters as readonly string[]).indexOf(text);
    else if (answers === "text") {
      index = choices.indexOf(text);
      expected = "the text of one of the options";
      if (index >= 0 && choices.lastIndexOf(text) !== index) index = -1;
    } else {
      const from = answers === "number-from-0" ? 0 : 1;
      // A column of numbers that had gaps is written as 2.0.
      index = /^\d{1,3}(\.0+)?$/.test(text) ? Number(text) - from : -1;
      expected = `a number from ${from} to ${choices.length - 1 + from}`;
    }
    const letter = letters[index];
    if (letter !== undefined) return letter;
    const column = columns.answer.toLowerCase() === "answer" ? "" : ` (${columns.answer})`;
    return this.fail(
      table,
      i,
      `the answer${column} is ${cell === null ? "empty" : `"${printableName(text)}"`}, expected ${expected}`,
    );
  }

  private maybeEmpty(table: Table, i: number, column: string, cell: Cell): string {
    const text = textIn(cell);
    if (!isEmpty(text)) return text;
    if (this.task.emptyCells === "refused") this.fail(table, i, `${column} is empty`);
    this.nulls[column]!++;
    return text ?? "";
  }

  private text(table: Table, i: number, column: string, cell: Cell, what: string): string {
    if (typeof cell === "string" && cell !== "") {
      if (cell.length <= 1000) return cell;
      this.fail(table, i, `the ${what} (${column}) has more than 1,000 characters`);
    }
    return this.fail(table, i, `the ${what} is ${Array.isArray(cell) ? "a list" : "empty"}`);
  }

  private fail(table: Table, i: number, what: string): never {
    throw new UserError(`${table.place(i)}: ${what}`, { hint: "Mend the row, or leave it out of the file." });
  }
}

type RowCells = {
  readonly [part in "question" | "answer"]: readonly Cell[];
} & { readonly [part in "subject" | "category" | "language" | "index" | "key"]: readonly Cell[] | undefined } & {
  readonly options: readonly (readonly Cell[])[];
};

const isEmpty = (cell: string | null): cell is null | "" => cell === null || cell === "";

const textIn = (cell: Cell): string | null => (cell === null || typeof cell === "string" ? cell : cell.join("\n"));
