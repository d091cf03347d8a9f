import { type AnswerRequest, requestKeys, requestsFor } from "../answer/index.js";
import { lockFolder } from "../base/lock.js";
import { askAll, readLog, studentQuantile } from "../evaluate/index.js";
import { withChosenDevice } from "./choose-device.js";
import type { EvaluateConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { openRun } from "./open-run.js";
import { counterOf } from "./plan.js";
import type { Prepared } from "./prepare.js";
import type { PromptCounter } from "./prompt-counter.js";
import { evaluationPlan, rowsUnder, variantsOf } from "./protocol.js";
import { answererOf } from "./run-evaluate.js";

/** A sum over all requests, guessed from some of them, with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly interval: readonly [low: number, high: number];
}

/** What some requests of a run said of all of them. */
export interface Probe {
  readonly requests: number;
  readonly rows: number;
  /** Seconds that the whole run takes, at the run's own number of requests under way. */
  readonly seconds: Estimate;
  /** As the server counts them; undefined where it does not tell. */
  readonly promptTokens?: Estimate;
  readonly completionTokens?: Estimate;
  /** In the prices' currency, where prices are given and the server counts. */
  readonly cost?: Estimate;
  /** The share of the probed replies that ended at the limit of tokens. */
  readonly cut: number;
}

/** Prices of a million tokens. */
export interface Prices {
  readonly input: number;
  readonly output: number;
}

/** Requests that are probed at the least: fewer say nothing of how they differ. */
const FEWEST = 5;

/**
 * Asks some of a run's own requests, spread evenly over it, and keeps the replies where the run will look for them:
 * they are not asked for twice.
 * @param wanted how many rows
 * @throws {UserError} as the run would
 */
export async function probeRun(
  asked: EvaluateConfiguration,
  prepared: Prepared,
  context: RunContext,
  wanted: number,
  prices?: Prices,
): Promise<Probe> {
  const given = await withChosenDevice(asked, context);
  const folder = await openRun(given, context);
  const release = lockFolder(folder.path);
  try {
    const { plan } = await evaluationPlan(given, prepared, context);
    const first = [...requestsFor(prepared.splits.test, plan)];
    const further = variantsOf(given.answerer).slice(1);
    const all = [
      ...first,
      ...further.flatMap(({ order }) => [...requestsFor(rowsUnder(prepared.splits.test, order), plan)]),
    ];
    // Whole ones are cut alike again from their rows alone.
    const full = first.filter(({ rows }) => rows.length === plan.questionsPerRequest);
    const from = full.length ? full : first;
    const count = Math.min(from.length, Math.max(FEWEST, Math.ceil(wanted / plan.questionsPerRequest)));
    const picked = Array.from({ length: count }, (_, i) => from[Math.floor(((i + 0.5) * from.length) / count)]!);
    const rows = picked.flatMap((request) => request.rows);
    const answerer = await answererOf(given, context, prepared.splits);
    try {
      const concurrency = answerer.concurrency ?? given.answerer.concurrency;
      const repliesPath = folder.file("replies.jsonl");
      await askAll({
        rows,
        total: rows.length,
        answerer,
        plan,
        stage: "test",
        repliesPath,
        retriesPath: folder.file("retries.jsonl"),
        concurrency,
        progress: context.progress,
        signal: context.signal,
      });
      const keyOf = requestKeys(answerer.identity);
      const byKey = new Map(picked.map((request) => [keyOf(request), request]));
      const seen: {
        milliseconds: number;
        prompt?: number;
        completion?: number;
        cut: boolean;
        request: AnswerRequest;
      }[] = [];
      for await (const { reply } of readLog(repliesPath)) {
        const request = reply && byKey.get(reply.key);
        if (!request) continue;
        byKey.delete(reply.key);
        const { prompt, completion } = reply.tokens ?? {};
        const cut = reply.finish === "length";
        seen.push({ milliseconds: reply.milliseconds, prompt, completion, cut, request });
      }
      const atOnce = Math.min(concurrency, seen.length) * answerer.requestsAtOnce;
      const counter = await counterOf(given, prepared, context);
      const own = [...(await counter.count(seen.map(({ request }) => request.prompt)))];
      const told = seen.every(({ prompt, completion }) => prompt !== undefined && completion !== undefined);
      const promptTokens = told
        ? await promptEstimate(
            seen.map(({ prompt }) => prompt!),
            own,
            all,
            counter,
          )
        : undefined;
      const completionTokens = told
        ? sumOver(
            seen.map(({ completion }) => completion!),
            all.length,
          )
        : undefined;
      return {
        requests: seen.length,
        rows: rows.length,
        seconds: scaled(
          sumOver(
            seen.map(({ milliseconds }) => milliseconds),
            all.length,
          ),
          1 / 1000 / atOnce,
        ),
        promptTokens,
        completionTokens,
        cost:
          prices && promptTokens && completionTokens
            ? added(scaled(promptTokens, prices.input / 1e6), scaled(completionTokens, prices.output / 1e6))
            : undefined,
        cut: seen.length ? seen.filter(({ cut }) => cut).length / seen.length : 0,
      };
    } finally {
      await answerer.close();
    }
  } finally {
    release();
  }
}

/**
 * The sum over so many of which some were seen: their mean, with Student's interval and the finite population
 * correction (Cochran 1977, ch. 2). How it covers: docs/statistics.md.
 * @param options `least`: whether the sum is no less than what was `seen`, as of times, or `any` number
 */
export function sumOver(
  seen: readonly number[],
  of: number,
  { least = "seen" }: { least?: "seen" | "any" } = {},
): Estimate {
  const n = seen.length;
  const sum = seen.reduce((all, one) => all + one, 0);
  if (n === 0) return { value: Number.NaN, interval: [0, Number.POSITIVE_INFINITY] };
  if (n >= of) return { value: sum, interval: [sum, sum] };
  const mean = sum / n;
  const value = mean * of;
  if (n === 1) return { value, interval: [sum, Number.POSITIVE_INFINITY] };
  const variance = seen.reduce((all, one) => all + (one - mean) ** 2, 0) / (n - 1);
  const half = studentQuantile(0.95, n - 1) * of * Math.sqrt((variance / n) * (1 - n / of));
  return { value, interval: [least === "seen" ? Math.max(sum, value - half) : value - half, value + half] };
}

/** Our own count of all prompts, and what the server counts more (its template), guessed from the probed ones. */
async function promptEstimate(
  counted: readonly number[],
  own: readonly number[],
  all: readonly AnswerRequest[],
  counter: PromptCounter,
): Promise<Estimate> {
  const total = [...(await counter.count(all.map(({ prompt }) => prompt)))].reduce((sum, one) => sum + one, 0);
  const more = sumOver(
    counted.map((one, index) => one - own[index]!),
    all.length,
    { least: "any" },
  );
  return { value: total + more.value, interval: [total + more.interval[0], total + more.interval[1]] };
}

const scaled = ({ value, interval: [low, high] }: Estimate, by: number): Estimate => ({
  value: value * by,
  interval: [low * by, high * by],
});

/** Bounds are added: the two may be wrong together. */
const added = (a: Estimate, b: Estimate): Estimate => ({
  value: a.value + b.value,
  interval: [a.interval[0] + b.interval[0], a.interval[1] + b.interval[1]],
});
