import { join } from "node:path";
import { promptPlan, type RequestPlan, requestKeys } from "../answer/index.js";
import { UserError } from "../base/errors.js";
import type { Corpus } from "../data/index.js";
import { type LoggedReply, readLog } from "../evaluate/index.js";
import { manifestSchema, readRunFile, runFile, runStartSchema } from "../record/index.js";
import type { PromptOf, WrittenPrompt } from "../report/index.js";
import { type Row, turned } from "../tasks/index.js";
import { askedAgain, readAgain } from "./again.js";
import { migrated } from "./configuration/renames.js";
import { type ExperimentConfiguration, experimentSchema } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { loadRows, prepare } from "./prepare.js";
import { evaluationPlan } from "./protocol.js";

/** Runs and languages whose rows stay in memory: a language of MMMLU takes some 20 MB. */
const KEPT = 4;

/** What prompts are written anew from. */
interface Source {
  readonly rows: ReadonlyMap<string, Row>;
  /** As the run asked; behind it, with more room, as it asked again what was cut. */
  readonly plans: readonly RequestPlan[];
}

/**
 * Writes prompts of a run anew, from its configuration and its rows: they are not kept. Whether a prompt is the one
 * that was sent is told by the request's key, which is a hash of prompt, bounds and who was asked.
 * @param context `offline` where no row may be fetched
 */
export function promptWriter(context: RunContext): PromptOf {
  const sources = new Map<string, Promise<Source>>();
  return async (path, reply) => {
    const { start, configuration } = await configurationIn(path);
    const languages = languagesOf(reply.ids);
    const place = JSON.stringify([path, start.started, languages]);
    const found = sources.get(place) ?? sourceOf(path, configuration, languages, context);
    // The newest stand last, and the oldest goes.
    sources.delete(place);
    sources.set(place, found);
    if (sources.size > KEPT) sources.delete(sources.keys().next().value!);
    try {
      return writtenFrom(await found, reply, await whoAnswered(path));
    } catch (error) {
      sources.delete(place);
      throw error;
    }
  };
}

const languagesOf = (ids: readonly string[]): string[] =>
  [...new Set(ids.map((id) => id.split("/")[0]!.replace(/^.*:/, "")))].sort();

/** What a run was asked to do. @throws {UserError} where this version does not read it */
export async function configurationIn(path: string) {
  const start = await readRunFile(path, "run.json", runStartSchema);
  const configuration = experimentSchema.safeParse(migrated(start?.configuration ?? {}).configuration).data;
  if (!start || !configuration || configuration.kind === "explore")
    throw new UserError(`${join(path, "run.json")} has a configuration that this version does not read`, {
      hint: "Its questions and prompts cannot be read anew; the replies are all there.",
    });
  return { start, configuration };
}

/** Prompts of some rows, written anew. */
export interface PromptsOfRun {
  /** By row id. */
  readonly prompts: ReadonlyMap<string, Pick<WrittenPrompt, "prompt" | "rows" | "asSent">>;
  /** Rows without one: no reply to them is kept, or they are not in the data any more. */
  readonly missing: number;
}

/**
 * Writes the prompts of some of a run's rows anew, as they were asked first in a stage.
 * @throws {UserError} where its rows cannot be read
 */
export async function promptsOfRun(
  path: string,
  stage: string,
  wanted: ReadonlySet<string>,
  context: RunContext,
): Promise<PromptsOfRun> {
  const log = runFile(path, "replies.jsonl");
  const replies: LoggedReply[] = [];
  if (log !== undefined)
    for await (const { reply } of readLog(log))
      if (reply?.stage === stage && !reply.order && !reply.repeat && reply.ids.some((id) => wanted.has(id)))
        replies.push(reply);
  const prompts = new Map<string, Pick<WrittenPrompt, "prompt" | "rows" | "asSent">>();
  if (replies.length === 0) return { prompts, missing: wanted.size };
  const { configuration } = await configurationIn(path);
  const source = await sourceOf(path, configuration, languagesOf(replies.flatMap(({ ids }) => ids)), context);
  const who = await whoAnswered(path);
  for (const reply of replies) {
    // Of a row that was asked again the last reply counts.
    if (!reply.ids.every((id) => source.rows.has(id))) continue;
    const written = writtenFrom(source, reply, who);
    for (const id of reply.ids) if (wanted.has(id)) prompts.set(id, written);
  }
  return { prompts, missing: wanted.size - prompts.size };
}

/** Who a finished evaluation asked, as its requests' keys hold it; several where the manifest leaves it open. */
async function whoAnswered(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { model, kind } = (await readRunFile(path, "manifest.json", manifestSchema)) ?? {};
  if (!model || kind !== "evaluate") return [];
  const { name, description, ...identity } = model;
  return [identity, { ...identity, name }, { ...identity, description }, model];
}

/** Rows of some of a run's languages; all of them where its data are not kept by language, as rows of one's own. */
export function rowsOfLanguages(
  { trainFrom: _train, limit: _limit, ...data }: ExperimentConfiguration["data"],
  languages: readonly string[],
  context: RunContext,
): Promise<Corpus> {
  return loadRows({ ...data, languages: [...languages] }, context).catch(() => loadRows(data, context));
}

async function sourceOf(
  path: string,
  configuration: Exclude<ExperimentConfiguration, { kind: "explore" }>,
  languages: readonly string[],
  context: RunContext,
): Promise<Source> {
  const byId = (rows: readonly Row[]) => new Map(rows.map((row) => [row.id, row]));
  // Examples are taken from all the rows that the run read.
  if (configuration.kind === "evaluate" && configuration.answerer.shots > 0) {
    const prepared = await prepare(configuration, context);
    const { plan } = await evaluationPlan(configuration, prepared, context);
    return { rows: byId(prepared.splits.test), plans: await allPlans(path, plan) };
  }
  const rows = await rowsOfLanguages(configuration.data, languages, context);
  const plan =
    configuration.kind === "evaluate"
      ? (await evaluationPlan(configuration, undefined, context)).plan
      : promptPlan(configuration.prompt, configuration.evaluation.maxNewTokens);
  return { rows: byId(rows.rows), plans: await allPlans(path, plan) };
}

const allPlans = async (path: string, plan: RequestPlan): Promise<RequestPlan[]> => [
  plan,
  ...askedAgain(await readAgain(path), plan).map((again) => again.plan),
];

function writtenFrom(
  { rows, plans }: Source,
  { ids, order = 0, key }: LoggedReply,
  who: readonly Readonly<Record<string, unknown>>[],
): WrittenPrompt {
  const asked = ids.map((id) => {
    const row = rows.get(id);
    if (!row)
      throw new UserError(`there is no row ${id} in the data as they are now`, {
        hint: "They have changed since the run, or are others: its prompt cannot be written anew.",
      });
    return turned(row, order);
  });
  const requests = plans.map((plan) => ({
    rows: asked,
    prompt: plan.prompt(asked),
    maximumTokens: plan.maximumTokens(asked.length),
    ...(plan.letters ? { letters: plan.letters(asked[0]!) } : {}),
  }));
  const sent = requests.find((request) => who.some((identity) => requestKeys(identity)(request) === key));
  const { prompt, maximumTokens, letters } = sent ?? requests[0]!;
  return {
    prompt,
    maximumTokens,
    measured: letters?.written,
    rows: asked,
    asSent: sent !== undefined ? true : who.length ? false : undefined,
  };
}
