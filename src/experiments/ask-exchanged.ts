import { type Answerer, type AnswerRequest, type RequestPlan, readReply, requestsFor } from "../answer/index.js";
import { UsageError, UserError } from "../base/errors.js";
import { studentQuantile } from "../evaluate/index.js";
import type { Explanation, Result } from "../exchange/index.js";
import { generator } from "../split/index.js";
import { lettersOfRows, type Row } from "../tasks/index.js";
import { migrated } from "./configuration/renames.js";
import { type EvaluateConfiguration, evaluateSchema } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { prepare } from "./prepare.js";
import { evaluationPlan } from "./protocol.js";
import { answererOf } from "./run-evaluate.js";

export interface AskAgainOptions {
  /** How many rows at most. */
  readonly rows: number;
  /** Rows whose options stood in another order in one of the results. */
  readonly turned: ReadonlySet<string>;
}

/** What asking deciding rows again under exchanged settings tells of the rest. */
export interface Exchanged {
  /** Rows that were asked again. */
  readonly rows: number;
  /** Of the rest: due to how it was asked, due to who was asked; together they are the rest, as far as asking again allows. */
  readonly parts: readonly {
    readonly title: string;
    readonly value: number;
    readonly interval: readonly [number, number];
  }[];
  readonly said: readonly string[];
}

/**
 * Asks some of the rows that just one of two runs got right again: each side's answerer with its own prompt (for the
 * noise) and with the other's, one question a request. The mean of both ways round is what prompt and answerer make.
 * @throws {UserError} where a result is none of our own evaluations, or whoever answered cannot be asked
 */
export async function askExchanged(
  a: Result,
  b: Result,
  found: Explanation,
  context: RunContext,
  { rows: wanted }: AskAgainOptions,
): Promise<Exchanged> {
  if (found.deciding.length === 0)
    return { rows: 0, parts: [], said: ["no row of the rest is decided: there is nothing to ask again"] };
  const sides = [sideOf(a), sideOf(b)] as const;
  const plans = [await planOf(sides[0].configuration, context), await planOf(sides[1].configuration, context)] as const;
  const picked = drawn(found.deciding, plans[0].rows, wanted, a.name);
  const answers = await Promise.all(
    sides.map(async ({ configuration, name }, which) => {
      const answerer = await answererFor(configuration, picked, context);
      try {
        context.progress.begin(`asking ${name} again`, 2 * picked.length);
        await answerer.prepare(context.signal);
        const own = await rightOf(answerer, sides[which]!, plans[which]!.plan, picked, context, 0);
        const other = await rightOf(
          answerer,
          sides[1 - which]!,
          plans[1 - which]!.plan,
          picked,
          context,
          picked.length,
        );
        return { own, other };
      } finally {
        context.progress.end();
        await answerer.close();
      }
    }),
  );
  const [one, two] = answers as [(typeof answers)[number], (typeof answers)[number]];
  const kept = (which: 0 | 1, index: number): number => outcomeOf([a, b][which]!, picked[index]!.id);
  // Of each row: what asking otherwise changes, and what asking another one changes, the mean of both ways round.
  const prompt = picked.map((_, i) => (one.other[i]! - one.own[i]! + two.own[i]! - two.other[i]!) / 2);
  const who = picked.map((_, i) => (two.own[i]! - one.other[i]! + two.other[i]! - one.own[i]!) / 2);
  const changed = picked.map((_, i) => kept(1, i) - kept(0, i) - (two.own[i]! - one.own[i]!));
  // The asked rows stand for all deciding ones; the rest of the rows had the same outcome.
  const scale = found.deciding.length / found.common;
  const part = (title: string, values: readonly number[]) => ({ title, ...meanOf(values, scale) });
  const flipped = picked.filter((_, i) => one.own[i] !== kept(0, i) || two.own[i] !== kept(1, i)).length;
  return {
    rows: picked.length,
    parts: [
      part("how it was asked", prompt),
      part("who was asked", who),
      part("what asking again changed (noise)", changed),
    ],
    said: [
      `of ${found.deciding.length.toLocaleString("en")} deciding rows ${picked.length} were drawn by lot; each ` +
        `question was asked alone`,
      `${flipped} of them came out otherwise when asked again as before: so much is noise, or what stood beside ` +
        `them in the request`,
    ],
  };
}

export interface Side {
  readonly name: string;
  readonly configuration: EvaluateConfiguration;
}

/**
 * Whether rows of two results can be asked again: one is an evaluation of ours, and the other one too, or its file
 * tells prompts.
 * @throws {UsageError} where they cannot: which run of ours would be, in a result's place
 */
export function requireAskable(results: readonly Result[]): void {
  const imported = results.filter(({ manifest }) => !manifest);
  for (const result of results) if (result.manifest || imported.length > 1) sideOf(result);
  for (const result of imported)
    if (![...result.texts.values()].some(({ prompt }) => prompt !== undefined))
      throw new UsageError(`the file of ${result.name} tells no prompts that ours could be asked with`, {
        hint: "Leave --ask out; or write it once more with its samples, which have the prompts.",
      });
}

/** Some of the deciding rows, by lot. @throws {UserError} where none is among a run's rows */
export function drawn(deciding: readonly string[], rows: readonly Row[], wanted: number, name: string): Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const draw = generator(42);
  const order = deciding.flatMap((id) => byId.get(id) ?? []).map((row) => ({ row, lot: draw.bounded(1 << 30) }));
  if (order.length === 0)
    throw new UserError(`none of the ${deciding.length} deciding rows is among the rows of ${name}`, {
      hint: "Its data have changed since: run it anew.",
    });
  return order
    .sort((x, y) => x.lot - y.lot)
    .slice(0, wanted)
    .map(({ row }) => row);
}

export function sideOf({ manifest, name, tool, facts }: Result): Side {
  const read = manifest && evaluateSchema.safeParse(migrated(manifest.configuration).configuration);
  if (read?.success) return { name, configuration: read.data };
  if (manifest?.kind === "finetune")
    throw new UsageError(`${name} is the stage of a fine-tuning: its model is not kept as it was asked`, {
      hint: "Leave --ask out, or run an evaluation of its saved model (mmmlu run mmmlu-lm-eval --model local:RUN).",
    });
  const preset = facts.scoring === "log-likelihood" ? "mmmlu-lm-eval" : "mmmlu-simple-evals";
  const shots = facts.shots ? ` --set answerer.shots=${facts.shots}` : "";
  throw new UsageError(
    `${name} was written by ${tool}, which does not tell which server answered and how a prompt became what the ` +
      "model read: it cannot be asked again",
    {
      hint:
        `Leave --ask out; or ask the same model here (mmmlu run ${preset} --model ${facts.model ?? "NAME"}${shots}, ` +
        "with LMSTUDIO_ENDPOINT naming its server) and explain that run against the other.",
    },
  );
}

export const answererFor = (
  configuration: EvaluateConfiguration,
  rows: readonly Row[],
  context: RunContext,
): Promise<Answerer> => answererOf(configuration, context, { train: [], validation: [], test: rows });

/** How a side asks, a question a request; and the rows that it read. */
export async function planOf(
  configuration: EvaluateConfiguration,
  context: RunContext,
): Promise<{ readonly plan: RequestPlan; readonly rows: readonly Row[] }> {
  const prepared = await prepare(configuration, context);
  const { plan } = await evaluationPlan(configuration, prepared, context);
  return { plan: { ...plan, questionsPerRequest: 1 }, rows: prepared.splits.test };
}

/** Whether each row is answered right, asked alone as a side asks. */
export async function rightOf(
  answerer: Answerer,
  { configuration: { answerExtraction } }: Side,
  plan: RequestPlan,
  rows: readonly Row[],
  context: RunContext,
  before: number,
  promptOf?: (row: Row) => AnswerRequest["prompt"],
): Promise<number[]> {
  const right: number[] = [];
  for (const own of requestsFor(rows, plan)) {
    const request = promptOf ? { ...own, prompt: promptOf(own.rows[0]!) } : own;
    const [reply] = await answerer.answer([request], { signal: context.signal });
    const [letter] = readReply(answerExtraction, reply?.text ?? "", 1, lettersOfRows(request.rows));
    right.push(Number(letter === request.rows[0]!.answer));
    context.progress.update(before + right.length);
  }
  return right;
}

export const outcomeOf = ({ predictions }: Result, id: string): number => {
  const one = predictions.find((prediction) => prediction.id === id);
  return Number(one !== undefined && one.prediction === one.answer);
};

/** A mean with Student's interval, scaled. */
export function meanOf(
  values: readonly number[],
  scale: number,
): { value: number; interval: readonly [number, number] } {
  const n = values.length;
  const mean = values.reduce((sum, one) => sum + one, 0) / n;
  if (n < 2) return { value: mean * scale, interval: [-scale, scale] };
  const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1);
  // Where all are alike nobody knows how the others are: one more of the opposite kind is reckoned with.
  const half = studentQuantile(0.95, n - 1) * Math.sqrt(Math.max(variance, 1 / n) / n);
  return { value: mean * scale, interval: [(mean - half) * scale, (mean + half) * scale] };
}
