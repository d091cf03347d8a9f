import { statSync } from "node:fs";
import { z } from "zod";
import { readingNames } from "../../answer/index.js";
import { type Prediction, readPredictions, scoreReplies } from "../../evaluate/index.js";
import { importerOf, type Result } from "../../exchange/index.js";
import { readRunFile, runFile, runStartSchema } from "../../record/index.js";
import type { FoundRun } from "./runs.js";

/** Of a row's reply, so much stands in the list. */
const SHOWN = 160;

/** Runs whose rows stay in memory: a run of 196,588 rows takes some 60 MB. */
const KEPT = 2;

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

/** The rows that a query asks for, in the order of the run. */
export function chosenRows(rows: readonly ListedRow[], query: RowQuery): ListedRow[] {
  const needle = query.search.trim().toLowerCase();
  return rows.filter(
    (row) =>
      (!query.stage || row.stage === query.stage) &&
      (!query.language || row.language === query.language) &&
      (!query.subject || row.subject === query.subject) &&
      (!query.outcome || has(row, query.outcome)) &&
      (!needle || `${row.id} ${row.reply}`.toLowerCase().includes(needle)),
  );
}

/** Reads the rows of runs, and keeps those of the last few as long as their files do not change. */
export class RowsOfRuns {
  private readonly kept = new Map<string, { readonly as: string; readonly rows: Promise<RunRows> }>();

  /** @throws {UserError} where the run's files cannot be read */
  async of(run: FoundRun): Promise<RunRows> {
    const as = ["", "predictions.jsonl", "replies.jsonl"]
      .map((name) => statSync(name ? `${run.path}/${name}` : run.path, { throwIfNoEntry: false }))
      .map((about) => `${about?.mtimeMs} ${about?.size}`)
      .join(",");
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
const listed = ({
  id,
  language,
  subject,
  stage,
  answer,
  prediction,
  unreadable,
  cut,
  reply,
}: Prediction): ListedRow => ({
  id,
  language,
  subject,
  stage,
  answer,
  prediction,
  unreadable,
  cut: cut ?? false,
  reply: Buffer.from(reply.slice(0, SHOWN)).toString(),
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
