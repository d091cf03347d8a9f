import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Answerer,
  type AnswerRequest,
  answererKindOf,
  type RequestPreview,
  requestKeys,
  requestsFor,
} from "../answer/index.js";
import { checkStopped, UserError } from "../base/errors.js";
import { readLog } from "../evaluate/index.js";
import { findTokenizer, type TokenizerFiles } from "../tokens/index.js";
import { withChosenDevice } from "./choose-device.js";
import type { EvaluateConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { findExperimentTokenizer, prepare } from "./prepare.js";
import { byBytes, type PromptCounter, promptCounter } from "./prompt-counter.js";
import { evaluationPlan, rowsUnder, variantsOf } from "./protocol.js";
import { answererOf } from "./run-evaluate.js";

/** What an evaluation would ask. */
export interface DryRun {
  readonly answerer: string;
  readonly rows: number;
  readonly languages: readonly string[];
  /** Requests in all, and those whose replies are in the run's folder already. */
  readonly requests: number;
  readonly answered: number;
  /** Of the requests that have no reply yet; undefined where nobody reads them, as with a baseline. */
  readonly tokensIn?: TokensIn;
  /** Of the same: the sum of their bounds. */
  readonly tokensOutAtMost: number;
  /** The first request that has no reply yet; undefined where all have one, or nothing would be sent. */
  readonly first?: RequestPreview;
}

/** Tokens of prompts, and how they were counted. */
export interface TokensIn {
  readonly count: number;
  /** By whose tokenizer; undefined where none was at hand and the count is a guess from the texts' bytes. */
  readonly tokenizer?: string;
  /** Whether its chat template's own tokens are among them. */
  readonly chatTemplate: boolean;
}

/** Prompts whose tokens are counted at once. */
const COUNTED_AT_ONCE = 2048;

/**
 * What a run of an evaluation would ask: rows are read, filtered and split as in a run; nothing is sent to whoever
 * answers, and nothing is written.
 */
export async function dryRun(given: EvaluateConfiguration, context: RunContext): Promise<DryRun> {
  const configuration = await withChosenDevice(given, context);
  const { ofRows } = answererKindOf(configuration.answerer.model);
  const early = ofRows ? undefined : await answererOf(configuration, context);
  const prepared = await prepare(configuration, context);
  const answerer = early ?? (await answererOf(configuration, context, prepared.splits));
  try {
    const { test } = prepared.splits;
    const before = await keysThere(join(context.out ?? `outputs/${configuration.name}`, "replies.jsonl"));
    const counter = answerer.preview && (await counterOf(configuration, answerer, context, prepared.letters));
    const keyOf = requestKeys(answerer.identity);
    const found = { requests: 0, answered: 0, tokens: 0, tokensOutAtMost: 0 };
    let first: AnswerRequest | undefined;
    let done = 0;
    const waiting: AnswerRequest["prompt"][] = [];
    const count = async (): Promise<void> => {
      for (const tokens of (await counter?.count(waiting)) ?? []) found.tokens += tokens;
      waiting.length = 0;
    };
    const { plan } = await evaluationPlan(configuration, prepared, context);
    const variants = variantsOf(configuration.answerer);
    context.progress.begin("counting tokens of prompts", test.length * variants.length);
    for (const { order, stage } of variants)
      for (const request of requestsFor(rowsUnder(test, order), plan)) {
        checkStopped(context.signal);
        found.requests++;
        if (before.has(`${stage} ${keyOf(request)}`)) found.answered++;
        else {
          first ??= request;
          if (counter && waiting.push(request.prompt) === COUNTED_AT_ONCE) await count();
          found.tokensOutAtMost += request.maximumTokens;
        }
        context.progress.update((done += request.rows.length));
      }
    await count();
    context.progress.end();
    const { tokens, ...rest } = found;
    return {
      answerer: answerer.description,
      rows: test.length,
      languages: [...new Set(test.map(({ language }) => language))],
      ...rest,
      tokensIn: counter && {
        count: Math.round(tokens),
        tokenizer: counter.tokenizer,
        chatTemplate: counter.chatTemplate,
      },
      first: first && answerer.preview?.(first),
    };
  } finally {
    await answerer.close();
  }
}

async function keysThere(path: string): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  if (existsSync(path)) for await (const { reply } of readLog(path)) if (reply) keys.add(`${reply.stage} ${reply.key}`);
  return keys;
}

/** Counts with the tokenizer of the model that is asked, or the experiment's own; where neither is here, by bytes. */
async function counterOf(
  configuration: EvaluateConfiguration,
  answerer: Answerer,
  context: RunContext,
  letters: () => readonly string[],
): Promise<PromptCounter> {
  const files = await tokenizerAtHand(configuration, answerer, context, letters);
  return files ? promptCounter(files, configuration.answerer.chatTemplate) : byBytes;
}

/** Nothing is fetched: what is not in a folder or in the cache is not at hand. */
async function tokenizerAtHand(
  configuration: EvaluateConfiguration,
  { name, tokenizerFolder }: Answerer,
  context: RunContext,
  letters: () => readonly string[],
): Promise<TokenizerFiles | undefined> {
  try {
    return tokenizerFolder === undefined
      ? await findExperimentTokenizer(configuration, { ...context, offline: true }, letters)
      : await findTokenizer({ source: tokenizerFolder, name });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
