import { statSync } from "node:fs";
import { z } from "zod";
import { readingNames } from "../../answer/index.js";
import { type Prediction, readLog, readPredictions, scoreReplies } from "../../evaluate/index.js";
import { type AskedText, importerOf, type Result } from "../../exchange/index.js";
import { readRunFile, runFile, runStartSchema } from "../../record/index.js";
import type { QuestionsOf } from "./exchange.js";
import type { FoundRun } from "./runs.js";

/** Of a row's reply, so much stands in the list. */
const SHOWN = 160;

/** Runs whose rows stay in memory: a run of 196,588 rows takes some 60 MB. */
const KEPT = 2;

/** Searches whose finds stay in memory: whoever turns over the rows of one asks for it again and again. */
const SEARCHES = 4;

export const outcomes = ["right", "wrong", "unreadable", "cut"] as const;
export type Outcome = (typeof outcomes)[number];

/** A row in the list of a run's rows: one answer. */
export interface ListedRow
  extends Pick<Prediction, "id" | "language" | "subject" | "stage" | "answer" | "prediction" | "unreadable"> {
  readonly cut: boolean;
  /** The beginning of the reply. */
  readonly reply: string;
}

/** The answers of a run, as far as there are any, and where another tool wrote them the results themselves. */
export interface RunRows {
  readonly rows: readonly ListedRow[];
  readonly results?: readonly Result[];
}

export interface RowQuery {
  readonly stage: string;
  readonly language: string;
  readonly subject: string;
  readonly outcome: string;
  readonly search: string;
}

/** What the address of a list of rows, or of one of them, asks for. */
export const rowQuery = (given: URLSearchParams): RowQuery => ({
  stage: given.get("stage") ?? "",
  language: given.get("language") ?? "",
  subject: given.get("subject") ?? "",
  outcome: given.get("outcome") ?? "",
  search: given.get("search") ?? "",
});

/** Whether a row has an outcome; a reply that was cut may be right, wrong or unreadable. */
const has = ({ prediction, answer, cut }: ListedRow, outcome: string): boolean =>
  outcome === "cut" ? cut : outcomeOf({ prediction, answer }) === outcome;

export const outcomeOf = ({ prediction, answer }: Pick<Prediction, "prediction" | "answer">): Outcome =>
  prediction === null ? "unreadable" : prediction === answer ? "right" : "wrong";

/**
 * The rows that a query asks for, in the order of the run.
 * @param said the answers in which its search was found beyond what the list shows, as {@link RowsOfRuns.said} has them
 */
export function chosenRows(rows: readonly ListedRow[], query: RowQuery, said: ReadonlySet<string>): ListedRow[] {
  const needle = query.search.trim().toLowerCase();
  return rows.filter(
    (row) =>
      (!query.stage || row.stage === query.stage) &&
      (!query.language || row.language === query.language) &&
      (!query.subject || row.subject === query.subject) &&
      (!query.outcome || has(row, query.outcome)) &&
      (!needle || said.has(answerKey(row)) || `${row.id} ${row.reply}`.toLowerCase().includes(needle)),
  );
}

const answerKey = ({ stage, id }: Pick<Prediction, "stage" | "id">): string => `${stage}\0${id}`;

/** Characters of a search that are looked for. */
const LONGEST_SEARCH = 1000;

/** Reads the rows of runs, and keeps those of the last few as long as their files do not change. */
export class RowsOfRuns {
  private readonly kept = new Map<string, { readonly as: string; readonly rows: Promise<RunRows> }>();

  private readonly searches = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(private readonly questionsOf?: QuestionsOf) {}

  /**
   * The questions of some of a run's rows, by row id; without those that are not on this machine.
   * @throws {UserError} where the run's files cannot be read
   */
  async questions(run: FoundRun, rows: readonly ListedRow[]): Promise<ReadonlyMap<string, AskedText>> {
    const texts = new Map<string, AskedText>();
    const { results } = await this.of(run);
    for (const language of results ? [] : new Set(rows.map((row) => row.language))) {
      const found = await this.ofLanguage(run, language);
      for (const row of rows) if (found.has(row.id)) texts.set(row.id, found.get(row.id)!);
    }
    for (const { texts: told } of results ?? [])
      for (const { id } of rows) if (told.has(id)) texts.set(id, told.get(id)!);
    return texts;
  }

  /** Nothing where they are not on this machine. */
  private async ofLanguage(run: FoundRun, language: string): Promise<ReadonlyMap<string, AskedText>> {
    return (await this.questionsOf?.(run.path, language).catch(() => undefined)) ?? new Map();
  }

  /**
   * The answers in whose whole text a search is found, of any size: questions, choices, replies, reasoning, and of
   * another tool's result the prompt.
   * @throws {UserError} where the run's files cannot be read
   */
  async said(run: FoundRun, search: string): Promise<ReadonlySet<string>> {
    const needle = search.trim().slice(0, LONGEST_SEARCH).toLowerCase();
    if (needle === "") return new Set();
    const key = [run.path, stateOf(run), needle].join("\0");
    const found = this.searches.get(key) ?? this.searchIn(run, await this.of(run), needle);
    this.searches.delete(key);
    this.searches.set(key, found);
    if (this.searches.size > SEARCHES) this.searches.delete(this.searches.keys().next().value!);
    try {
      return await found;
    } catch (error) {
      this.searches.delete(key);
      throw error;
    }
  }

  private async searchIn(run: FoundRun, known: RunRows, needle: string): Promise<ReadonlySet<string>> {
    const found = await searchIn(run, known, needle);
    if (known.results) return found;
    for (const language of new Set(known.rows.map((row) => row.language))) {
      const texts = await this.ofLanguage(run, language);
      const ids = new Set([...texts].filter(([, text]) => asks(text, needle)).map(([id]) => id));
      for (const row of known.rows) if (ids.has(row.id)) found.add(answerKey(row));
    }
    return found;
  }

  /** @throws {UserError} where the run's files cannot be read */
  async of(run: FoundRun): Promise<RunRows> {
    const as = stateOf(run);
    const before = this.kept.get(run.path);
    const rows = before?.as === as ? before.rows : readRows(run);
    this.kept.delete(run.path);
    this.kept.set(run.path, { as, rows });
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value!);
    try {
      return await rows;
    } catch (error) {
      this.kept.delete(run.path);
      throw error;
    }
  }
}

/** Another one where a run's files have changed. */
const stateOf = ({ path }: FoundRun): string =>
  ["", "predictions.jsonl", "replies.jsonl"]
    .map((name) => statSync(name ? `${path}/${name}` : path, { throwIfNoEntry: false }))
    .map((about) => `${about?.mtimeMs} ${about?.size}`)
    .join(",");

const holds = (texts: readonly (string | undefined)[], needle: string): boolean =>
  texts.some((text) => text?.toLowerCase().includes(needle));

const asks = ({ question, choices = [] }: AskedText, needle: string): boolean => holds([question, ...choices], needle);

/** Goes through a run's files once and keeps nothing but whose texts have the needle. */
async function searchIn(run: FoundRun, { results }: RunRows, needle: string): Promise<Set<string>> {
  const found = new Set<string>();
  const has = (...texts: readonly (string | undefined)[]): boolean => holds(texts, needle);
  for (const { predictions, texts } of results ?? [])
    for (const one of predictions) {
      const text = texts.get(one.id) ?? {};
      if (has(one.reply, text.prompt) || asks(text, needle)) found.add(answerKey(one));
    }
  const replies = results ? undefined : runFile(run.path, "replies.jsonl");
  const predictions = results || replies ? undefined : runFile(run.path, "predictions.jsonl");
  if (replies !== undefined)
    for await (const { reply } of readLog(replies))
      if (reply && has(reply.text, reply.reasoning))
        for (const id of reply.ids) found.add(answerKey({ stage: reply.stage, id }));
  if (predictions !== undefined)
    for await (const one of readPredictions(predictions)) if (has(one.reply)) found.add(answerKey(one));
  return found;
}

async function readRows(run: FoundRun): Promise<RunRows> {
  if (run.imported) {
    const results = (await importerOf(run.path)?.read(run.path)) ?? [];
    return { results, rows: results.flatMap(({ predictions }) => predictions.map(listed)) };
  }
  const rows: ListedRow[] = [];
  const predictions = run.complete ? runFile(run.path, "predictions.jsonl") : undefined;
  if (predictions !== undefined) {
    for await (const one of readPredictions(predictions)) rows.push(listed(one));
    return { rows };
  }
  const replies = runFile(run.path, "replies.jsonl");
  if (replies === undefined) return { rows };
  for (const stage of await scoreReplies(replies, await readingOf(run.path)))
    for (const one of stage.predictions) rows.push(listed(one));
  return { rows };
}

/** A text of its own: a part of a reply would keep the whole of it in memory. */
const listed = (one: Prediction): ListedRow => ({
  ...{ id: one.id, language: one.language, subject: one.subject, stage: one.stage },
  ...{ answer: one.answer, prediction: one.prediction, unreadable: one.unreadable, cut: one.cut ?? false },
  reply: Buffer.from(one.reply.slice(0, SHOWN)).toString(),
});

const readingName = z.enum(readingNames).optional().catch(undefined);
const readingSchema = z.object({
  answerExtraction: readingName,
  reading: readingName,
  evaluation: z.object({ answerExtraction: readingName, reading: readingName }).optional().catch(undefined),
});

/** How a run that is not done reads its replies, by the keys of whatever version. */
export async function readingOf(path: string) {
  const { configuration } = (await readRunFile(path, "run.json", runStartSchema)) ?? {};
  const { answerExtraction, reading, evaluation } = readingSchema.parse(configuration ?? {});
  return answerExtraction ?? reading ?? evaluation?.answerExtraction ?? evaluation?.reading ?? "robust";
}
