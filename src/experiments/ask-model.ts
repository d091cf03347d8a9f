import { localAnswerer, promptPlan, settled } from "../answer/index.js";
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
  const answerer = localAnswerer({
    name: configuration.model.source,
    model: loaded.model,
    tokenizer,
    identity: { ...loaded.identity, ...trained },
    batchSize: evaluation.batchSize,
    letters: lettersOfRows(rows),
    settled: (text, letters) => extractionsOf(configuration).every((reading) => settled(reading, text, letters)),
    letterText: (letter) => `${loaded.model.text.beforeAnswer}${letter}`,
    maximumPromptTokens: finetuneProtocolOf(configuration).truncatesPrompts
      ? configuration.filter.maxTokens
      : undefined,
  });
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
  return { ...stageOf(stage, result), seconds: result.seconds };
}
