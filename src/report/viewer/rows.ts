import { statSync } from "node:fs";
import { z } from "zod";
import { readingNames } from "../../answer/index.js";
import { confidenceOf, type Prediction, readLog, readPredictions, scoreReplies } from "../../evaluate/index.js";
import { type AskedText, importerOf } from "../../exchange/index.js";
import { readRunFile, runFile, runStartSchema } from "../../record/index.js";
import { categoryOf } from "../../tasks/index.js";
import type { QuestionsOf } from "./exchange.js";
import { type FilteredRows, filteredRows } from "./filtered-rows.js";
import { answerKey, type ListedRow, outcomeOf, type RunRows } from "./listed-row.js";
import type { FoundRun } from "./runs.js";

/** Of a row's reply, so much stands in the list. */
const SHOWN = 160;

/** Runs whose rows stay in memory: a run of 196,588 rows takes some 60 MB. */
const KEPT = 2;

/** Searches, and filters, whose finds stay in memory. */
const SEARCHES = 4;

export interface RowQuery {
  readonly stage: string;
  readonly language: string;
  readonly subject: string;
  readonly outcome: string;
  readonly search: string;
  /** An expression, as {@link parseFilter} reads it. */
  readonly where: string;
  /** The run beside it, and its stage: `folder:stage`. */
  readonly beside: string;
}

/** What the address of a list of rows, or of one of them, asks for. */
export const rowQuery = (given: URLSearchParams): RowQuery => ({
  stage: given.get("stage") ?? "",
  language: given.get("language") ?? "",
  subject: given.get("subject") ?? "",
  outcome: given.get("outcome") ?? "",
  search: given.get("search") ?? "",
  where: given.get("where") ?? "",
  beside: given.get("beside") ?? "",
});

/** Whether a row has an outcome; a reply that was cut may be right, wrong or unreadable. */
const has = ({ prediction, answer, cut }: ListedRow, outcome: string): boolean =>
  outcome === "cut" ? cut : outcomeOf({ prediction, answer }) === outcome;

/**
 * The rows that a query asks for, in the order of the run.
 * @param said the answers in which its search was found beyond what the list shows, as {@link RowsOfRuns.said} has them
 * @param where the answers for which its filter holds; all where it has none
 */
export function chosenRows(
  rows: readonly ListedRow[],
  query: RowQuery,
  said: ReadonlySet<string>,
  where?: ReadonlySet<string>,
): ListedRow[] {
  const needle = query.search.trim().toLowerCase();
  return rows.filter(
    (row) =>
      (!query.stage || row.stage === query.stage) &&
      (!query.language || row.language === query.language) &&
      (!query.subject || row.subject === query.subject) &&
      (!query.outcome || has(row, query.outcome)) &&
      (!where || where.has(answerKey(row))) &&
      (!needle || said.has(answerKey(row)) || `${row.id} ${row.reply}`.toLowerCase().includes(needle)),
  );
}

/** Characters of a search that are looked for. */
const LONGEST_SEARCH = 1000;

/** Reads the rows of runs, and keeps those of the last few as long as their files do not change. */
export class RowsOfRuns {
  private readonly kept = new Map<string, { readonly as: string; readonly rows: Promise<RunRows> }>();

  private readonly searches = new Kept<ReadonlySet<string>>(SEARCHES);

  private readonly filters = new Kept<FilteredRows>(SEARCHES);

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
    return this.searches.get(key, async () => this.searchIn(run, await this.of(run), needle));
  }

  /**
   * The answers for which a filter holds.
   * @param beside a stage of a run, which the filter calls `other`
   * @throws {FilterFault} where the filter cannot be read
   * @throws {UserError} where the run's files cannot be read
   */
  async where(run: FoundRun, where: string, beside?: { run: FoundRun; stage: string }): Promise<FilteredRows> {
    const state = (one: FoundRun | undefined): string => (one ? `${one.path}\0${stateOf(one)}` : "");
    const key = [state(run), where, state(beside?.run), beside?.stage].join("\0");
    return this.filters.get(key, async () => {
      const side = async (one: FoundRun) => ({
        run: one,
        known: await this.of(one),
        questions: (language: string) => this.ofLanguage(one, language),
      });
      const rows = beside && (await this.byId(beside.run, beside.stage));
      return filteredRows(where, await side(run), rows && { ...(await side(beside.run)), rows });
    });
  }

  /**
   * The answers of one stage of a run, by row id.
   * @throws {UserError} where the run's files cannot be read
   */
  async byId(run: FoundRun, stage: string): Promise<ReadonlyMap<string, ListedRow>> {
    const { rows } = await this.of(run);
    return new Map(rows.filter((row) => row.stage === stage).map((row) => [row.id, row]));
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

/** What was asked for last: whoever turns over the rows of one search asks for it again and again. */
class Kept<T> {
  private readonly values = new Map<string, Promise<T>>();

  constructor(private readonly most: number) {}

  async get(key: string, make: () => Promise<T>): Promise<T> {
    const value = this.values.get(key) ?? make();
    this.values.delete(key);
    this.values.set(key, value);
    if (this.values.size > this.most) this.values.delete(this.values.keys().next().value!);
    try {
      return await value;
    } catch (error) {
      this.values.delete(key);
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
  ...{ category: one.category ?? categoryOf(one.subject), confidence: confidenceOf(one) },
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
