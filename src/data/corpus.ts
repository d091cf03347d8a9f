import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { checkStopped, messageOf, UserError } from "../base/errors.js";
import { sha256OfFile } from "../base/files.js";
import { printableName } from "../base/printable.js";
import { type Progress, silent } from "../base/progress.js";
import { cleanSubject, LANGUAGES, type Letter, mmmlu, type Row } from "../tasks/index.js";
import { COLUMNS, type Column, lineOfRecord, readTable, type Table } from "./csv.js";
import { downloadFiles, hubSettings, isRepositoryName, PINNED_DATASET, resolveCommit } from "./hub/index.js";
import { sampleFolder } from "./sample/index.js";

export interface CorpusOptions {
  /** A hub id, a folder with `test/mmlu_XX-YY.csv`, or `sample`. */
  readonly source: string;
  /** A commit, branch or tag; null or undefined means the pinned one. */
  readonly revision?: string | null;
  /** Such as `DE_DE`; undefined means all that there are. The rows come in this order. */
  readonly languages?: readonly string[];
  /** Only so many rows of each language. */
  readonly rowsPerLanguage?: number | null;
  /** No network: everything must be in the cache. */
  readonly offline?: boolean;
  readonly progress?: Progress;
  /** Aborting ends reading and downloading. */
  readonly signal?: AbortSignal;
  readonly environment?: NodeJS.ProcessEnv;
}

/** A file that rows came from. */
export interface CorpusFile {
  readonly language: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
}

/** Rows and where they came from. */
export interface Corpus {
  readonly source: string;
  readonly kind: "hub" | "folder" | "sample";
  /** The hub's commit. */
  readonly revision: string | undefined;
  readonly languages: readonly string[];
  readonly rows: readonly Row[];
  readonly files: readonly CorpusFile[];
  /** Empty cells by column: what pandas and `datasets` would read as null. Text such as "None" is text. */
  readonly nulls: Readonly<Record<Column, number>>;
  /** How many rows' subjects carried file-name debris, by language. */
  readonly cleanedSubjects: Readonly<Record<string, number>>;
}

/** `DE_DE` → `mmlu_DE-DE.csv` */
export const fileOfLanguage = (language: string): string => `mmlu_${language.replace("_", "-")}.csv`;

/**
 * Reads rows of MMMLU: from the hub (through the standard cache), a folder in the same layout, or the sample.
 * Memory: about five times the files' bytes (the full corpus: 131 MB on disk).
 * @throws {UserError} naming file and line, or what is not there and what is
 */
export async function loadCorpus(options: CorpusOptions): Promise<Corpus> {
  const progress = options.progress ?? silent;
  const found = await findFiles(options);
  progress.begin("reading rows", found.files.length);
  const nulls = Object.fromEntries(COLUMNS.map((column) => [column, 0])) as Record<Column, number>;
  const cleanedSubjects: Record<string, number> = {};
  const rows: Row[] = [];
  const files: CorpusFile[] = [];
  // The next files are read while this one's rows are made.
  const ahead = found.files.slice(0, FILES_AHEAD).map(({ path }) => readAhead(path));
  for (const [place, { language, path }] of found.files.entries()) {
    checkStopped(options.signal);
    const { table, sha256: hash } = await ahead.shift()!;
    const after = found.files[place + FILES_AHEAD];
    if (after) ahead.push(readAhead(after.path));
    const read = rowsOf(path, language, table, options.rowsPerLanguage ?? Number.POSITIVE_INFINITY);
    for (const column of COLUMNS)
      for (let i = 0; i < read.rows.length; i++) if (table[column][i] === "") nulls[column]++;
    if (read.cleaned) cleanedSubjects[language] = read.cleaned;
    for (const row of read.rows) rows.push(row);
    files.push({ language, path: basename(path), bytes: statSync(path).size, sha256: hash, rows: read.rows.length });
    progress.update(files.length, language);
  }
  const cleaned = Object.values(cleanedSubjects).reduce((a, b) => a + b, 0);
  progress.end(
    `${rows.length.toLocaleString("en")} rows in ${files.length} language${files.length === 1 ? "" : "s"}${cleaned ? `; ${cleaned} subjects cleaned of file names (${Object.keys(cleanedSubjects).join(", ")})` : ""}`,
  );
  return {
    source: options.source,
    kind: found.kind,
    revision: found.revision,
    languages: files.map((file) => file.language),
    rows,
    files,
    nulls,
    cleanedSubjects,
  };
}

/** Files that are read while the rows of another are made. */
const FILES_AHEAD = 3;

function readAhead(path: string): Promise<{ table: Table; sha256: string }> {
  const read = (async () => {
    const before = identityOf(path);
    const [table, sha256] = await Promise.all([readTable(path), sha256OfFile(path)]);
    if (identityOf(path) !== before)
      throw new UserError(`${path} changed while it was read`, { hint: "Run the same command again." });
    return { table, sha256 };
  })();
  // An earlier file's fault may end the reading before this one is awaited.
  read.catch(() => {});
  return read;
}

/** What tells that a file is still the same: the hash must be that of what was read. */
function identityOf(path: string): string {
  try {
    const about = statSync(path, { bigint: true });
    if (!about.isFile()) throw new Error("it is no plain file");
    return [about.dev, about.ino, about.size, about.mtimeNs].join(" ");
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function findFiles(
  options: CorpusOptions,
): Promise<{ kind: Corpus["kind"]; revision?: string; files: { language: string; path: string }[] }> {
  const inFolder = (folder: string): { language: string; path: string }[] => {
    const there = existsSync(join(folder, "test"))
      ? readdirSync(join(folder, "test")).filter((name) => /^mmlu_[A-Z]{2}-[A-Z]{2}\.csv$/.test(name))
      : [];
    const languages = there.map((name) => name.slice(5, 10).replace("-", "_")).sort();
    if (!languages.length)
      throw new UserError(`${folder} holds no test/mmlu_XX-YY.csv`, {
        hint: "Give a folder in the layout of openai/MMMLU, a hub id, or sample.",
      });
    for (const language of options.languages ?? []) {
      if (!languages.includes(language))
        throw new UserError(`${folder} has no language ${language} (no test/${fileOfLanguage(language)})`, {
          hint: `It has: ${languages.join(", ")}.`,
        });
    }
    return (options.languages ?? languages).map((language) => ({
      language,
      path: join(folder, "test", fileOfLanguage(language)),
    }));
  };
  if (options.source === "sample") return { kind: "sample", files: inFolder(sampleFolder()) };
  if (existsSync(options.source)) return { kind: "folder", files: inFolder(options.source) };
  if (!options.source.includes("/") || !isRepositoryName(options.source))
    throw new UserError(`there is no folder ${options.source}, and it is not a hub id`, {
      hint: "Give a folder, a hub id such as openai/MMMLU, or sample.",
    });
  const languages = options.languages ?? LANGUAGES;
  const unknown = languages.find((language) => !(LANGUAGES as readonly string[]).includes(language));
  if (unknown) throw new UserError(`MMMLU has no language ${unknown}`, { hint: `It has: ${LANGUAGES.join(", ")}.` });
  const settings = hubSettings({
    offline: options.offline,
    environment: options.environment,
    progress: options.progress,
    signal: options.signal,
  });
  const pinned = options.source === PINNED_DATASET.repository ? PINNED_DATASET.revision : null;
  const repository = { name: options.source, type: "dataset" as const };
  const revision = await resolveCommit(repository, options.revision ?? pinned, settings);
  const paths = languages.map((language) => `test/${fileOfLanguage(language)}`);
  const downloaded = await downloadFiles(repository, revision, paths, settings);
  return {
    kind: "hub",
    revision,
    files: languages.map((language, index) => ({ language, path: downloaded[index] as string })),
  };
}

function rowsOf(path: string, language: string, table: Table, limit: number): { rows: Row[]; cleaned: number } {
  const count = Math.min(limit, table.Question.length);
  const rows: Row[] = [];
  const places = new Map<string, number>();
  let cleaned = 0;
  const fail = (record: number, what: string): never => {
    throw new UserError(`${path}:${lineOfRecord(path, record)}: ${what}`);
  };
  for (let i = 0; i < count; i++) {
    const cell = (column: Column): string => table[column][i] as string;
    const subject = cleanSubject(cell("Subject"));
    if (subject !== cell("Subject")) cleaned++;
    const index = Number(cell("Unnamed: 0"));
    if (!/^\d+$/.test(cell("Unnamed: 0")))
      fail(i, `the index (first column) is "${printableName(cell("Unnamed: 0"))}", expected a whole number`);
    if (!(mmmlu.letters as readonly string[]).includes(cell("Answer")))
      fail(i, `the answer is "${printableName(cell("Answer"))}", expected A, B, C or D`);
    if (subject === "") fail(i, "the subject is empty");
    const id = `${language}/${subject}/${index}`;
    const before = places.get(id);
    if (before !== undefined)
      fail(i, `the row ${printableName(id)} is there twice, first on line ${lineOfRecord(path, before)}`);
    places.set(id, i);
    rows.push({
      id,
      language,
      subject,
      index,
      question: cell("Question"),
      choices: [cell("A"), cell("B"), cell("C"), cell("D")],
      answer: cell("Answer") as Letter,
    });
  }
  return { rows, cleaned };
}
