import { messageOf, UserError } from "../../base/errors.js";
import { keptExchange, type LoggedReply } from "../../evaluate/index.js";
import { runFile } from "../../record/index.js";
import { partsOfId } from "../../tasks/index.js";
import { type Html, html } from "../html.js";
import type { Section } from "../page.js";
import type { PromptOf } from "./exchange.js";
import { exchangeSections, neighbours, type ShownAsking } from "./exchange-page.js";
import { FilterFault } from "./filter.js";
import { type Beside, choicesBeside, type Filtered, nameOfBeside } from "./filter-form.js";
import type { ListedRow } from "./listed-row.js";
import { chosenRows, type RowQuery, type RowsOfRuns, rowQuery } from "./rows.js";
import { pageOf, rowsSection } from "./rows-page.js";
import type { FoundRun } from "./runs.js";

/** What a page is made of. */
export interface PageParts {
  readonly title: string;
  readonly lead: Html;
  readonly sections: readonly Section[];
}

/** The list of a run's rows. @throws {UserError} where its files cannot be read, or it has none */
export async function rowsPage(
  run: FoundRun,
  runs: readonly FoundRun[],
  all: RowsOfRuns,
  given: URLSearchParams,
): Promise<PageParts> {
  const { rows } = await all.of(run);
  if (rows.length === 0)
    throw new UserError(`${run.folder} has no answers`, {
      hint: run.complete ? "An exploration asks no questions." : "None has come yet: load this page again later.",
    });
  const page = Number(given.get("page") ?? 1);
  const query = rowQuery(given);
  const choices = choicesBeside(run, runs);
  const other = besideOf(query, choices);
  const filtered = await filteredBy(run, query, all, other);
  const shown = pageOf(await rowsOf(rows, run, query, all, filtered), Number.isInteger(page) ? page : 1);
  const questions = await all.questions(run, shown.rows);
  const beside = other && (await all.byId(other.run, other.stage));
  const about = { questions, filtered, choices, beside };
  const { lead, section } = rowsSection(run.folder, rows, query, shown, about);
  return { title: `${run.folder}: rows`, lead, sections: [section] };
}

/** @throws {UserError} where the address names a run that is not there */
function besideOf({ beside }: RowQuery, choices: readonly Beside[]): Beside | undefined {
  if (beside === "") return undefined;
  const other = choices.find((one) => nameOfBeside(one) === beside);
  if (!other)
    throw new UserError(`there is no run ${beside} to stand beside it`, {
      hint: "It is not in this folder any more, or has no answers yet: go back and choose another.",
    });
  return other;
}

/** What comes of the query's filter; undefined where it has none. */
async function filteredBy(
  run: FoundRun,
  { where }: RowQuery,
  all: RowsOfRuns,
  beside: Beside | undefined,
): Promise<Filtered | undefined> {
  if (where.trim() === "") return undefined;
  try {
    return await all.where(run, where, beside);
  } catch (error) {
    if (error instanceof FilterFault) return { fault: error };
    throw error;
  }
}

/** The rows of a query; none where its filter cannot be read: all of them would look like what it found. */
async function rowsOf(
  rows: readonly ListedRow[],
  run: FoundRun,
  query: RowQuery,
  all: RowsOfRuns,
  filtered: Filtered | undefined,
): Promise<ListedRow[]> {
  if (filtered && "fault" in filtered) return [];
  return chosenRows(rows, query, await all.said(run, query.search), filtered?.found);
}

/** A row with all that is kept of it. @throws {UserError} where there is no such row */
export async function rowPage(
  run: FoundRun,
  runs: readonly FoundRun[],
  all: RowsOfRuns,
  promptOf: PromptOf | undefined,
  given: URLSearchParams,
): Promise<PageParts> {
  const id = given.get("id") ?? "";
  const { rows, results } = await all.of(run);
  const own = rows.filter((row) => row.id === id);
  if (own.length === 0)
    throw new UserError(`${run.folder} has no answer to ${id === "" ? "a row without an id" : id}`, {
      hint: "Go back and choose from its rows.",
    });
  const of = given.get("of") || own[0]!.stage;
  const { askings, retries, question } = results
    ? { askings: importedAskings(id, own, results), retries: [], question: results[0]?.texts.get(id) }
    : await ownAskings(run, id, own, promptOf);
  const { language, subject } = own[0]!;
  const query = rowQuery(given);
  const filtered = await filteredBy(run, query, all, besideOf(query, choicesBeside(run, runs)));
  const list = await rowsOf(rows, run, query, all, filtered);
  const lead = html`<h1>${id}</h1><p class="soft">${run.folder}, ${language}, ${subject.replaceAll("_", " ")}</p>${neighbours(run.folder, list, query, { id, of })}`;
  const shown = { folder: run.folder, id, language: partsOfId(id).language || language, question, askings, retries };
  return { title: id, lead, sections: exchangeSections(shown) };
}

/** Of another tool's result: prompt and reply as its file tells them. */
function importedAskings(
  id: string,
  own: readonly ListedRow[],
  results: NonNullable<Awaited<ReturnType<RowsOfRuns["of"]>>["results"]>,
): ShownAsking[] {
  return own.flatMap((row) => {
    const result = results.find(({ predictions }) => predictions[0]?.stage === row.stage);
    const prediction = result?.predictions.find((one) => one.id === id);
    if (!result || !prediction) return [];
    const { reply: text, logProbabilities, order, repeat, stage } = prediction;
    const prompt = result.texts.get(id)?.prompt;
    return [
      {
        row,
        reply: { text, logProbabilities, order, repeat, stage, ids: [id] },
        prompt: prompt === undefined ? { missing: `The file of ${result.tool} tells no prompt.` } : { text: prompt },
        replaced: false,
      },
    ];
  });
}

/** Of a run of ours: each kept reply with its prompt, written anew. */
async function ownAskings(run: FoundRun, id: string, own: readonly ListedRow[], promptOf: PromptOf | undefined) {
  const { replies, retries } = await keptExchange(id, {
    replies: runFile(run.path, "replies.jsonl"),
    retries: runFile(run.path, "retries.jsonl"),
  });
  const askings: ShownAsking[] = [];
  let question: { question?: string; choices?: readonly string[] } | undefined;
  for (const [index, reply] of replies.entries()) {
    const prompt = await promptFor(run, reply, promptOf);
    const replaced = replies.slice(index + 1).some((later) => later.stage === reply.stage);
    askings.push({ row: own.find(({ stage }) => stage === reply.stage), reply, prompt, replaced });
    if ("rows" in prompt && !reply.order) question ??= prompt.rows.find((row) => row.id === id);
  }
  // A run that kept no log has its predictions.
  if (askings.length === 0)
    for (const row of own)
      askings.push({
        row,
        reply: { text: row.reply, stage: row.stage, ids: [id] },
        prompt: { missing: "The run has no replies.jsonl: only the beginning of the reply, as it was read, is here." },
        replaced: false,
      });
  return { askings, retries, question };
}

async function promptFor(
  run: FoundRun,
  reply: LoggedReply,
  promptOf: PromptOf | undefined,
): Promise<ShownAsking["prompt"]> {
  if (!promptOf) return { missing: "Prompts are not kept, and nobody here writes them anew." };
  try {
    return await promptOf(run.path, reply);
  } catch (error) {
    const hint = error instanceof UserError ? (error.hint ?? "") : "";
    return { missing: `The prompt cannot be written anew: ${messageOf(error)}. ${hint}`.trim() };
  }
}
