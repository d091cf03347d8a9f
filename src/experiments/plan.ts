import type { AnswerRequest, RequestPlan } from "../answer/index.js";
import { answererKindOf, requestsFor, rowTexts, sourceOfModel } from "../answer/index.js";
import { memoryFree } from "../base/memory.js";
import type { Corpus } from "../data/index.js";
import { openDevice } from "../graph/index.js";
import { isFolder, leastBytesEach, openCheckpoint } from "../models/index.js";
import { savedModelOf } from "../record/index.js";
import { questionOf, type Row } from "../tasks/index.js";
import { findTokenizer } from "../tokens/index.js";
import { stepsPerEpoch, totalSteps } from "../train/index.js";
import type { EvaluateConfiguration, FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { findExperimentTokenizer, type Prepared, prepare, withoutHash } from "./prepare.js";
import { type PromptCounter, promptCounter } from "./prompt-counter.js";
import { evaluationPlan, promptKind, rowsUnder, variantsOf } from "./protocol.js";
import { SAMPLE } from "./sample.js";

/** What a run will take, told before it is begun. */
export interface Plan {
  /** Of the test rows: what is asked. */
  readonly rows: number;
  readonly questions: number;
  readonly languages: readonly string[];
  readonly drawn?: ReturnType<typeof withoutHash>;
  readonly requests: number;
  readonly promptTokens: PromptTokens;
  /** That replies may have at most, all together. */
  readonly replyTokensAtMost: number;
  /** Of fine-tuning. */
  readonly training?: { readonly rows: number; readonly steps: number; readonly tokens: number };
  readonly memory: PlannedMemory;
}

export interface PromptTokens {
  readonly total: number;
  readonly longest: number;
  /** Whose tokens they are. */
  readonly tokenizer: string;
  /** Whether they are all that the model reads: false where a server puts its own chat template around them. */
  readonly whole: boolean;
}

export interface PlannedMemory {
  /** Bytes that the rows take. */
  readonly rows: number;
  /** Bytes that the model's weights take at the least (trained whole: with gradients and two moments). */
  readonly weights?: number;
  /** Why the weights are not told, where a model runs here. */
  readonly unknown?: string;
  readonly free: number;
}

/**
 * What rows take, as the heap's growth says over 196,588 rows of 14 languages (137 MB of CSV): 20 MB where their texts
 * stay on disk, 197 MB where they are held.
 */
const [BYTES_A_STORED_ROW, BYTES_A_BYTE_OF_TEXT] = [100, 1.5];

type Asked = EvaluateConfiguration | FinetuneConfiguration;

/** Requests whose prompts are counted at once. */
const COUNTED_AT_ONCE = 2048;

/**
 * Reads, filters, splits and draws the rows as the run would, and counts what it would ask; asks nobody.
 * @throws {UserError} as the run would, before its first question
 */
export async function planExperiment(
  configuration: Asked,
  context: RunContext,
): Promise<{ plan: Plan; prepared: Prepared }> {
  const prepared = await prepare(configuration, context);
  const { test, train } = prepared.splits;
  const requests = await requestPlanOf(configuration, prepared, context);
  const orders = configuration.kind === "evaluate" ? variantsOf(configuration.answerer).map(({ order }) => order) : [0];
  const counter = await counterOf(configuration, prepared, context);
  let [count, total, longest, replies] = [0, 0, 0, 0];
  const atOnce: AnswerRequest[] = [];
  const take = async (): Promise<void> => {
    for (const tokens of await counter.count(atOnce.map(({ prompt }) => prompt))) {
      total += tokens;
      longest = Math.max(longest, tokens);
    }
    atOnce.length = 0;
  };
  const asked = {
    *[Symbol.iterator]() {
      for (const order of orders) yield* requestsFor(rowsUnder(test, order), requests);
    },
  };
  context.progress.begin("counting the prompts' tokens", test.length * orders.length);
  let done = 0;
  for (const request of asked) {
    count++;
    replies += request.maximumTokens;
    done += request.rows.length;
    if (atOnce.push(request) < COUNTED_AT_ONCE) continue;
    await take();
    context.progress.update(done);
  }
  await take();
  context.progress.end(`${total.toLocaleString("en")} in ${count.toLocaleString("en")} requests`);
  const plan: Plan = {
    rows: test.length,
    questions: new Set(test.map(questionOf)).size,
    languages: [...new Set(test.map(({ language }) => language))],
    ...(prepared.drawn ? { drawn: withoutHash(prepared.drawn) } : {}),
    requests: count,
    promptTokens: { total, longest, tokenizer: counter.tokenizer!, whole: counter.whole },
    replyTokensAtMost: replies,
    ...(configuration.kind === "finetune" ? { training: await trainingOf(configuration, prepared, train) } : {}),
    memory: await memoryOf(configuration, prepared, context),
  };
  return { plan, prepared };
}

/** How the test rows of a run become requests. */
const requestPlanOf = async (configuration: Asked, prepared: Prepared, context: RunContext): Promise<RequestPlan> =>
  configuration.kind === "evaluate"
    ? (await evaluationPlan(configuration, prepared, context)).plan
    : {
        questionsPerRequest: 1,
        prompt: ([row]) => rowTexts[configuration.prompt](row as Row),
        maximumTokens: () => configuration.evaluation.maxNewTokens,
      };

/** Counts with the model's own tokenizer and template where they are here, else with the configuration's tokenizer. */
export async function counterOf(
  configuration: Asked,
  { letters }: Pick<Prepared, "letters">,
  context: RunContext,
): Promise<PromptCounter & { readonly whole: boolean }> {
  const answerer = configuration.kind === "evaluate" ? configuration.answerer : undefined;
  const folder = answerer && localFolder(answerer.model);
  const files =
    folder === undefined
      ? await findExperimentTokenizer(configuration, context, letters)
      : await findTokenizer({ source: folder, offline: context.offline });
  const counter = await promptCounter(files, answerer?.chatTemplate);
  return { ...counter, whole: counter.chatTemplate || answerer === undefined || promptKind(answerer) === "text" };
}

/** The folder of a model that is run here and lies here; undefined for all others. */
function localFolder(model: string): string | undefined {
  if (!answererKindOf(model).runsHere) return undefined;
  const source = savedModelOf(sourceOfModel(model));
  return isFolder(source) && !/\.gguf$/i.test(source) ? source : undefined;
}

async function trainingOf(
  { training, prompt }: FinetuneConfiguration,
  { loadTokenizer: tokenizerOf }: Prepared,
  train: readonly Row[],
): Promise<NonNullable<Plan["training"]>> {
  const tokenizer = await tokenizerOf();
  const counts = await tokenizer.count(train.map(rowTexts[prompt]), true);
  const plan = { ...training, rows: train.length };
  const epochs = totalSteps(plan) / stepsPerEpoch(plan);
  return {
    rows: train.length,
    steps: totalSteps(plan),
    tokens: Math.round(epochs * counts.reduce((sum, count) => sum + count, 0)),
  };
}

async function memoryOf(configuration: Asked, prepared: Prepared, context: RunContext): Promise<PlannedMemory> {
  const corpora = [prepared.corpus, ...(prepared.trainCorpus ? [prepared.trainCorpus] : [])];
  const sumOver = (sizeOf: (corpus: Corpus) => number): number => corpora.reduce((sum, one) => sum + sizeOf(one), 0);
  const rows =
    configuration.kind === "evaluate"
      ? BYTES_A_STORED_ROW * sumOver((corpus) => corpus.rows.length)
      : BYTES_A_BYTE_OF_TEXT * sumOver(({ files }) => files.reduce((sum, { bytes }) => sum + bytes, 0));
  const free = memoryFree();
  const source =
    configuration.kind === "finetune" ? configuration.model.source : localFolder(configuration.answerer.model);
  if (
    source === SAMPLE ||
    (configuration.kind === "evaluate" && !answererKindOf(configuration.answerer.model).runsHere)
  )
    return { rows, free };
  if (source === undefined || !isFolder(source))
    return { rows, free, unknown: "the model's weights are not on this machine as a folder" };
  const quantization = configuration.kind === "finetune" ? configuration.model : configuration.answerer;
  const whole = configuration.kind === "finetune" && configuration.lora === null;
  const device = await openDevice("cpu");
  try {
    const checkpoint = await openCheckpoint(source, { offline: true, signal: context.signal });
    try {
      const each = leastBytesEach(checkpoint, device, {
        quantization: { kind: quantization.quantization ?? "none" },
        frozen: !whole,
      });
      return { rows, free, weights: checkpoint.weights.elements * each * (whole ? 4 : 1) };
    } finally {
      await checkpoint.close();
    }
  } finally {
    await device.close();
  }
}
