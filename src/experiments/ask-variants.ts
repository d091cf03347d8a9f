import type { Answerer, RequestPlan } from "../answer/index.js";
import {
  type AskedAnswer,
  type Asking,
  type Evaluation,
  type EvaluationOptions,
  evaluate,
  type Prediction,
  summed,
  type TokenTotals,
} from "../evaluate/index.js";
import type { RunFolder } from "../record/index.js";
import type { EvaluateConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { type Stage, stageOf } from "./evaluation-results.js";
import type { Prepared } from "./prepare.js";
import { rowsUnder, variantsOf } from "./protocol.js";

/** All askings of an evaluation's rows. */
export interface AskedVariants
  extends Pick<Evaluation, "asked" | "cached" | "retries" | "seconds" | "tokens" | "renewed" | "answeredAs"> {
  /** The plain asking: the rows' own order of options, for the first time. */
  readonly stage: Stage;
  /** Of each asking, the plain one first, what its answers were. */
  readonly askings: readonly Asking[];
  /** Whole predictions of the askings behind the plain one, read from the log each time they are gone through. */
  readonly further: readonly Iterable<Prediction>[];
  /** Those of all askings. */
  readonly whole: Iterable<Prediction>;
}

/** Asks the rows under every order and as often as the configuration says, one asking after the other. */
export async function askVariants(
  configuration: EvaluateConfiguration,
  prepared: Prepared,
  answerer: Answerer,
  plan: RequestPlan,
  folder: RunFolder,
  options: Pick<RunContext, "progress" | "signal"> & Pick<EvaluationOptions, "again">,
): Promise<AskedVariants> {
  const { test } = prepared.splits;
  const askings: Asking[] = [];
  const further: Iterable<Prediction>[] = [];
  let [asked, cached, seconds, renewed] = [0, 0, 0, 0];
  let retries: Record<string, number> = {};
  let answeredAs: Record<string, number> = {};
  let stage: Stage | undefined;
  let tokens: TokenTotals | undefined;
  const variants = variantsOf(configuration.answerer);
  for (const variant of variants) {
    const evaluation = await evaluate({
      ...variant,
      rows: rowsUnder(test, variant.order),
      total: test.length,
      answerer,
      plan,
      repliesPath: folder.file("replies.jsonl"),
      retriesPath: folder.file("retries.jsonl"),
      concurrency: answerer.concurrency ?? configuration.answerer.concurrency,
      reading: configuration.answerExtraction,
      ...options,
    });
    asked += evaluation.asked;
    cached += evaluation.cached;
    seconds += evaluation.seconds;
    renewed += evaluation.renewed;
    tokens = addedTokens(tokens, evaluation.tokens);
    retries = summed([retries, evaluation.retries]);
    answeredAs = summed([answeredAs, evaluation.answeredAs]);
    const { order, repeat } = variant;
    if (stage) further.push(evaluation.predictions);
    else stage = stageOf(variant.stage, evaluation);
    if (variants.length > 1) askings.push({ order, repeat, answers: answersOf(evaluation.predictions) });
  }
  const whole = {
    *[Symbol.iterator]() {
      for (const predictions of [stage!.whole, ...further]) yield* predictions;
    },
  };
  return { stage: stage!, askings, further, whole, asked, cached, retries, seconds, tokens, renewed, answeredAs };
}

const addedTokens = (a: TokenTotals | undefined, b: TokenTotals | undefined): TokenTotals | undefined =>
  a && b
    ? {
        prompt: a.prompt + b.prompt,
        completion: a.completion + b.completion,
        replies: a.replies + b.replies,
        uncounted: a.uncounted + b.uncounted,
      }
    : (a ?? b);

/** What statistics of several askings look at: some 150 bytes a row. */
const answersOf = (predictions: Iterable<Prediction>): AskedAnswer[] =>
  Array.from(predictions, ({ id, question, options, answer, prediction }) => ({
    id,
    question,
    options,
    answer,
    prediction,
  }));
