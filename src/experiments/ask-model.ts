import { type Answerer, localAnswerer, promptPlan, readLetter, requestsFor, settled } from "../answer/index.js";
import { evaluate } from "../evaluate/index.js";
import type { RunFolder } from "../record/index.js";
import { lettersOfRows, type Row } from "../tasks/index.js";
import type { Tokenizer } from "../tokens/index.js";
import { extractionsOf } from "./additional-metrics.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { type Stage, stageOf } from "./evaluation-results.js";
import type { ExperimentModel } from "./model.js";
import { finetuneProtocolOf } from "./presets/index.js";

/** The model as an answerer, as the configuration has it asked. */
const answererOf = (
  loaded: ExperimentModel,
  tokenizer: Tokenizer,
  configuration: FinetuneConfiguration,
  letters: readonly string[],
  identity: Readonly<Record<string, unknown>>,
): Answerer =>
  localAnswerer({
    name: configuration.model.source,
    model: loaded.model,
    tokenizer,
    identity,
    batchSize: configuration.evaluation.batchSize,
    letters,
    settled: (text, letters) => extractionsOf(configuration).every((reading) => settled(reading, text, letters)),
    letterText: (letter) => `${loaded.model.text.beforeAnswer}${letter}`,
    maximumPromptTokens: finetuneProtocolOf(configuration).truncatesPrompts
      ? configuration.filter.maxTokens
      : undefined,
  });

/** A question that is asked whatever the rows, and what the model answered. */
export interface ExampleAnswer {
  readonly question: string;
  readonly choices: readonly string[];
  readonly answer: string;
  readonly reply: string;
  /** The letter that is read; the reply where none is. */
  readonly predicted: string;
}

/** Asks the published run's fixed example; undefined where it had none. */
export async function askExample(
  loaded: ExperimentModel,
  tokenizer: Tokenizer,
  configuration: FinetuneConfiguration,
): Promise<ExampleAnswer | undefined> {
  const example = finetuneProtocolOf(configuration).exampleQuestion;
  if (!example) return undefined;
  const row: Row = { ...example, id: "DE_DE/example/0", language: "DE_DE", subject: "example", index: 0 };
  const answerer = answererOf(loaded, tokenizer, configuration, lettersOfRows([row]), {});
  await answerer.prepare();
  const [reply] = await answerer.answer([
    ...requestsFor([row], promptPlan(configuration.prompt, configuration.evaluation.maxNewTokens)),
  ]);
  const text = reply?.text ?? "";
  const predicted = readLetter(configuration.evaluation.answerExtraction, text, lettersOfRows([row])) ?? text;
  return { ...example, reply: text, predicted };
}

/** Asks the model all test rows, as it is at a stage; replies that are on disk already are not asked for again. */
export async function askModel(
  stage: "baseline" | "final",
  trained: Readonly<Record<string, unknown>>,
  loaded: ExperimentModel,
  tokenizer: Tokenizer,
  rows: readonly Row[],
  configuration: FinetuneConfiguration,
  folder: RunFolder,
  context: RunContext,
): Promise<Stage & { seconds: number }> {
  const { evaluation } = configuration;
  const identity = { ...loaded.identity, ...trained };
  const answerer = answererOf(loaded, tokenizer, configuration, lettersOfRows(rows), identity);
  const result = await evaluate({
    rows,
    total: rows.length,
    answerer,
    plan: promptPlan(configuration.prompt, evaluation.maxNewTokens),
    stage,
    repliesPath: folder.file("replies.jsonl"),
    concurrency: 1,
    reading: evaluation.answerExtraction,
    progress: context.progress,
    signal: context.signal,
  });
  return Object.assign(stageOf(stage, result), { seconds: result.seconds });
}
