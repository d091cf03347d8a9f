import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { basename } from "node:path";
import { checkStopped, messageOf, UserError } from "../base/errors.js";
import { sha256OfFile } from "../base/files.js";
import { collectGarbage } from "../base/garbage.js";
import { hintForReading } from "../base/hint-for-reading.js";
import { byNames } from "../base/named.js";
import { type Progress, silent } from "../base/progress.js";
import {
  isOwnFile,
  languagesAmong,
  mmmlu,
  ownRows,
  type Row,
  type Task,
  type TaskColumns,
  taskNamed,
  taskOfSource,
} from "../tasks/index.js";
import { cellsOfRecord, csvTables } from "./csv.js";
import { findFiles, noLanguage } from "./find-files.js";
import { ownTask } from "./own-task.js";
import { isCsv, readTable } from "./read-table.js";
import { columnsOf, RowReader } from "./rows.js";
import { BlockReader, StoredTexts, stateOf } from "./stored-row.js";
import type { Table } from "./table.js";

export interface CorpusOptions {
  /** A hub id, a folder in the layout of the task's repository, a file of own rows, or `sample`. */
  readonly source: string;
  /** The name of a task; null or undefined for the one that the source tells ({@link taskOfSource}). */
  readonly task?: string | null;
  /** Which columns of own rows hold what; what is not said is guessed from their names. */
  readonly columns?: OwnColumns | null;
  /** A commit, branch or tag; null or undefined means the pinned one. */
  readonly revision?: string | null;
  /**
   * Such as `DE_DE`, or as another set codes them; null or undefined means all that there are. The rows come in this
   * order.
   */
  readonly languages?: readonly string[] | null;
  /** Only so many rows of each language. */
  readonly rowsPerLanguage?: number | null;
  /**
   * Where the rows' texts are: `in memory`, or `on disk`, where each is read again when it is asked for. Only those of
   * CSV files in a task's layout can stay there.
   */
  readonly texts?: "in memory" | "on disk";
  /** No network: everything must be in the cache. */
  readonly offline?: boolean;
  readonly progress?: Progress;
  /** Aborting ends reading and downloading. */
  readonly signal?: AbortSignal;
  readonly environment?: NodeJS.ProcessEnv;
}

/** What a configuration says of the columns of own rows. */
export type OwnColumns = { readonly [part in keyof TaskColumns]?: TaskColumns[part] | null } & {
  readonly answers?: Task["answers"] | null;
};

/** A file that rows came from. */
export interface CorpusFile {
  /** Undefined where the file names each row's language. */
  readonly language?: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
}

/** Rows and where they came from. */
export interface Corpus {
  readonly source: string;
  readonly kind: "hub" | "folder" | "file" | "sample";
  readonly task: Task;
  /** The hub's commit. */
  readonly revision: string | undefined;
  readonly languages: readonly string[];
  readonly rows: readonly Row[];
  readonly files: readonly CorpusFile[];
  /** The columns that were read. */
  readonly columns: readonly string[];
  /** Empty cells by column: what pandas and `datasets` would read as null. Text such as "None" is text. */
  readonly nulls: Readonly<Record<string, number>>;
  /** How many rows' subjects carried file-name debris, by language. */
  readonly cleanedSubjects: Readonly<Record<string, number>>;
  /** Rows by subject as the files have it, debris and all. */
  readonly storedSubjects: Readonly<Record<string, number>>;
}

/**
 * Reads the rows of a task: from the hub (through the standard cache), a folder in the same layout, a file of own rows,
 * or the sample. Memory: up to five times the files' bytes (all of MMMLU: 131 MB on disk); with texts on disk some 100
 * bytes a row.
 * @throws {UserError} naming file, line and column, or what is not there and what is
 */
export async function loadCorpus(options: CorpusOptions): Promise<Corpus> {
  const named =
    options.task != null
      ? taskNamed(options.task)
      : statSync(options.source, { throwIfNoEntry: false })?.isDirectory()
        ? mmmlu
        : taskOfSource(options.source);
  return named.name === ownRows.name ? loadOwnRows(options) : loadTask(named, options);
}

async function loadTask(task: Task, options: CorpusOptions): Promise<Corpus> {
  const progress = options.progress ?? silent;
  const found = await findFiles(task, options);
  progress.begin("reading rows", found.files.length);
  const corpus = new Gathered(task);
  const blocks = options.texts === "on disk" ? new BlockReader() : undefined;
  let reader: RowReader | undefined;
  for (const [place, { language, path }] of found.files.entries()) {
    checkStopped(options.signal);
    // A language's file may have several parts.
    if (found.files[place - 1]?.language !== language)
      reader = new RowReader(task, language, options.rowsPerLanguage ?? undefined);
    const before = reader!.rows.length;
    const read = await readRows(path, task, language, reader!, blocks);
    corpus.files.push({ language, path: basename(path), ...read, rows: reader!.rows.length - before });
    if (found.files[place + 1]?.language !== language) corpus.add(reader!, language);
    // What was made of a file's bytes is not to stand beside the next file's.
    if (blocks) collectGarbage();
    progress.update(place + 1, language);
  }
  progress.end(corpus.words);
  return { ...corpus.told, source: options.source, kind: found.kind, revision: found.revision };
}

/** Reads a file's rows; those of a CSV file some at a time. */
async function readRows(
  path: string,
  task: Task,
  language: string,
  reader: RowReader,
  blocks: BlockReader | undefined,
): Promise<{ bytes: number; sha256: string }> {
  const columns = columnsOf(task);
  const state = identityOf(path);
  let sha256: string;
  if (!isCsv(path)) {
    const [table, hash] = await Promise.all([readTable(path, columns), sha256OfFile(path)]);
    reader.add(table);
    sha256 = hash;
  } else {
    const hash = createHash("sha256");
    let stored: StoredTexts | undefined;
    for (const table of csvTables(path, columns, (bytes) => hash.update(bytes))) {
      stored ??= blocks && storedTexts(path, state, table, task, language, blocks);
      reader.add(table, stored);
    }
    sha256 = hash.digest("hex");
  }
  requireUnchanged(path, state);
  return { bytes: statSync(path).size, sha256 };
}

function storedTexts(
  path: string,
  state: string,
  { columns: first, separator }: Pick<Table, "columns" | "separator">,
  task: Task,
  language: string,
  blocks: BlockReader,
): StoredTexts {
  const reader = new RowReader(task, language);
  const names = [...first.keys()];
  return new StoredTexts(path, state, blocks, (bytes) => {
    const cells = cellsOfRecord(bytes, separator);
    const columns = new Map(names.map((name, column) => [name, [cells[column]!]]));
    return reader.textsOf({ path, length: 1, columns, place: () => path });
  });
}

/** Own rows: one file, whose columns are told or guessed. */
async function loadOwnRows(options: CorpusOptions): Promise<Corpus> {
  const progress = options.progress ?? silent;
  if (!isOwnFile(options.source))
    throw new UserError(`${options.source} is no file of own rows`, {
      hint: "Files of rows end in .csv, .jsonl, .ndjson or .parquet.",
    });
  const state = identityOf(options.source);
  const [table, sha256] = await Promise.all([readTable(options.source), sha256OfFile(options.source)]);
  requireUnchanged(options.source, state);
  const { task, words } = ownTask(table, options.columns ?? {});
  progress.begin("reading rows", 1);
  const asked = options.languages ?? undefined;
  // Where the file does not say its language, the only one asked for is it.
  const language = asked?.length === 1 ? asked[0]! : "und";
  if (task.columns.language === undefined && asked && asked.length > 1)
    throw new UserError(`${options.source} has no column of languages, and ${asked.length} languages are asked for`, {
      hint: "Name the column (data.columns.language), or the file's one language (--languages de).",
    });
  const reader = new RowReader(task, language, options.rowsPerLanguage ?? undefined);
  reader.add(table);
  const there = [...new Set(reader.rows.map((row) => row.language))];
  const languages = asked ? languagesAmong(asked, there) : there;
  const missing = languages.indexOf(undefined);
  if (missing >= 0) throw noLanguage(options.source, asked![missing]!, there);
  const rows = languages.flatMap((one) => reader.rows.filter((row) => row.language === one));
  const corpus = new Gathered(task);
  const { nulls, cleaned, storedSubjects } = reader;
  corpus.add({ rows, nulls, cleaned, storedSubjects }, languages.join(", "));
  const { size: bytes } = statSync(options.source);
  corpus.files.push({ path: basename(options.source), bytes, sha256, rows: rows.length });
  progress.say(`${options.source}: ${words}`);
  progress.end(corpus.words);
  return {
    ...corpus.told,
    languages: languages as string[],
    source: options.source,
    kind: "file",
    revision: undefined,
  };
}

/** What comes together of several files. */
class Gathered {
  readonly rows: Row[] = [];
  readonly files: CorpusFile[] = [];
  readonly nulls: Record<string, number>;
  readonly cleanedSubjects = byNames<number>();
  readonly storedSubjects = new Map<string, number>();

  constructor(readonly task: Task) {
    this.nulls = Object.fromEntries(columnsOf(task).map((column) => [column, 0]));
  }

  add(reader: Pick<RowReader, "rows" | "nulls" | "cleaned" | "storedSubjects">, language: string): void {
    for (const row of reader.rows) this.rows.push(row);
    for (const [column, count] of Object.entries(reader.nulls)) this.nulls[column]! += count;
    if (reader.cleaned) this.cleanedSubjects[language] = reader.cleaned;
    for (const [subject, count] of reader.storedSubjects)
      this.storedSubjects.set(subject, (this.storedSubjects.get(subject) ?? 0) + count);
  }

  get told(): Omit<Corpus, "source" | "kind" | "revision"> {
    const { task, rows, files, nulls, cleanedSubjects } = this;
    const languages = [...new Set(files.flatMap(({ language }) => language ?? []))];
    const storedSubjects = Object.fromEntries(this.storedSubjects);
    return { task, languages, rows, files, columns: Object.keys(nulls), nulls, cleanedSubjects, storedSubjects };
  }

  /** For the terminal: rows and languages, and what is not as it should be. */
  get words(): string {
    const number = (count: number): string => count.toLocaleString("en");
    const languages = new Set(this.rows.map(({ language }) => language)).size;
    const cleaned = Object.values(this.cleanedSubjects).reduce((a, b) => a + b, 0);
    const empty = Object.entries(this.nulls).filter(([, count]) => count > 0);
    return [
      `${number(this.rows.length)} rows in ${languages} language${languages === 1 ? "" : "s"}`,
      ...(cleaned
        ? [`${cleaned} subjects cleaned of file names (${Object.keys(this.cleanedSubjects).join(", ")})`]
        : []),
      ...(empty.length
        ? [`empty cells are kept (${empty.map(([column, count]) => `${column}: ${number(count)}`).join(", ")})`]
        : []),
    ].join("; ");
  }
}

/** What tells that a file is still the same: the hash must be that of what was read. */
function identityOf(path: string): string {
  try {
    const about = statSync(path, { bigint: true });
    if (!about.isFile()) throw new Error("it is no plain file");
    return stateOf(about);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
  }
}

function requireUnchanged(path: string, state: string): void {
  if (identityOf(path) !== state)
    throw new UserError(`${path} changed while it was read`, { hint: "Run the same command again." });
}
