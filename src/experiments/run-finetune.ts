import { hashOf } from "../base/canonical.js";
import { lockFolder } from "../base/lock.js";
import { UserError } from "../base/errors.js";
import { evaluationMetrics, evaluationStatistics } from "../evaluate/index.js";
import { hashOfSplits } from "../split/index.js";
import { RunFolder, writeManifest } from "../record/index.js";
import { percent, type Tile } from "../report/index.js";
import { checkMemory, checkpointStep, gigabytes, meanLoss, memoryFree, memoryNeed, train, type TrainingResult } from "../train/index.js";
import { readLetter } from "../answer/index.js";
import { type Stage, sampleNotes, stageMetrics, writeAnswers } from "./answers.js";
import { askModel } from "./ask-model.js";
import type { FinetuneConfiguration } from "./configuration.js";
import type { RunContext, RunOutcome } from "./context.js";
import { protocolDifferences } from "./differences.js";
import { examplesOf } from "./examples.js";
import { identityOf } from "./identity.js";
import { lengthFigures } from "./lengths.js";
import { type ExperimentModel, loadExperimentModel } from "./model.js";
import { factsOf, manifestOf, prepare, type Prepared, splitIds } from "./prepare.js";
import { readCurves, TrainLog } from "./train-log.js";
import { startTracking } from "./tracking.js";

/** Fine-tunes a model: accuracy before, training (going on from a checkpoint where there is one), accuracy after, saving. */
export async function runFinetune(configuration: FinetuneConfiguration, context: RunContext): Promise<RunOutcome> {
  const folder = await RunFolder.open(context.out ?? `outputs/${configuration.name}`, configuration.name, configuration, identityOf(configuration), { fresh: context.fresh });
  const release = lockFolder(folder.path);
  let loaded: ExperimentModel | undefined;
  try {
    const prepared = await prepare(configuration, context);
    folder.reopen();
    folder.writeJson("splits.json", splitIds(prepared.splits));
    const examples = {
      train: await examplesOf(prepared.splits.train, prepared.tokenizer, configuration),
      validation: await examplesOf(prepared.splits.validation, prepared.tokenizer, configuration),
      test: await examplesOf(prepared.splits.test, prepared.tokenizer, configuration),
    };
    loaded = await loadExperimentModel(configuration, prepared.tokenizer, context);
    const need = memoryNeed(loaded.model, configuration.training.batchSize, examples.train);
    context.progress.say(
      `${need.trainedCount.toLocaleString("en")} parameters trained, ${need.frozenCount.toLocaleString("en")} frozen; memory needed ${gigabytes(need.total)} of ${gigabytes(memoryFree() + need.parameters)} free; ${loaded.device.describe()}`,
    );
    checkMemory(loaded.model, need, memoryFree(), configuration.training.batchSize, examples.train);
    const tracker = startTracking(configuration, folder.path, context);
    let exitCode = 1;
    try {
      const stages: Stage[] = [];
      const ask = (stage: "baseline" | "final", trained: Record<string, unknown>) => askModel(stage, trained, loaded as ExperimentModel, prepared.tokenizer, prepared.splits.test, configuration, folder, context);
      if (configuration.evaluation.baseline) {
        stages.push(await ask("baseline", { trained: false }));
        tracker.summary({ baseline_test_accuracy: stages[0]?.metrics.accuracy ?? 0 });
      }
      const identity = hashOf({ configuration: identityOf(configuration), split: hashOfSplits(prepared.splits), tokenizer: prepared.tokenizer.sha256, model: loaded.identity });
      const checkpointFolder = folder.file("checkpoints");
      const log = await TrainLog.open(folder.file("train-log.jsonl"), await checkpointStep(checkpointFolder), tracker, context.progress);
      const { training } = configuration;
      const result = await train(
        loaded.model, examples,
        { ...training, betas: training.adamBetas, epsilon: training.adamEpsilon, dropout: training.dropout !== 0, checkpointFolder, identity },
        { ...log.hooks, shouldStop: () => context.signal?.aborted === true },
      );
      log.close();
      if (result.stopped) throw new UserError(`stopped at step ${result.steps}`, { hint: "A checkpoint is kept: run the same command again, it goes on from there." });
      stages.push(await ask("final", { trained: identity, steps: result.steps }));
      const losses = configuration.prompt === "gemma-2" ? await finalLosses(loaded, examples, configuration) : undefined;
      await loaded.model.save(folder.file("model"));
      const outcome = await publish(configuration, folder, prepared, loaded, stages, result, losses);
      tracker.summary(trackedSummary(configuration, stages, losses));
      exitCode = 0;
      return outcome;
    } finally {
      await tracker.finish(exitCode);
    }
  } finally {
    await loaded?.model.dispose();
    await loaded?.device.close();
    release();
  }
}

interface FinalLosses {
  readonly validation: number;
  readonly test: number;
}

async function finalLosses(loaded: ExperimentModel, examples: Record<"validation" | "test", Parameters<typeof meanLoss>[1]>, configuration: FinetuneConfiguration): Promise<FinalLosses> {
  const size = configuration.evaluation.batchSize;
  return { validation: await meanLoss(loaded.model, examples.validation, size), test: await meanLoss(loaded.model, examples.test, size) };
}

/** The keys of the published runs. */
function trackedSummary(configuration: FinetuneConfiguration, stages: readonly Stage[], losses: FinalLosses | undefined): Record<string, number> {
  const final = stages.at(-1)?.metrics.accuracy ?? 0;
  if (configuration.prompt === "flan-t5") return { final_test_accuracy: final };
  return {
    post_ft_test_accuracy: final,
    ...(losses ? { final_val_loss: losses.validation, final_val_ppl: Math.exp(losses.validation), final_test_loss: losses.test, final_test_ppl: Math.exp(losses.test) } : {}),
  };
}

async function publish(configuration: FinetuneConfiguration, folder: RunFolder, prepared: Prepared, loaded: ExperimentModel, stages: readonly Stage[], result: TrainingResult, losses: FinalLosses | undefined): Promise<RunOutcome> {
  const parts = manifestOf(prepared, configuration.split);
  const manifest = {
    kind: configuration.kind, ...parts, model: { ...loaded.identity, quantization: configuration.model.quantization, lora: configuration.lora }, device: loaded.device.describe(),
    seeds: { split: configuration.split.seed, training: configuration.training.seed }, notes: sampleNotes(parts),
  };
  const byStage = Object.fromEntries(stages.map((stage) => [stage.stage, { ...stageMetrics(stage), measuredBeside: besides(stage, prepared) }]));
  const training = { steps: result.steps, rows: result.rows, loss: result.loss, seconds: result.seconds, rowsPerSecond: result.rowsPerSecond, validations: result.validations, bestEpoch: result.bestEpoch };
  const perplexities = losses && { validation: { loss: losses.validation, perplexity: Math.exp(losses.validation) }, test: { loss: losses.test, perplexity: Math.exp(losses.test) } };
  folder.writeJson("metrics.json", { ...byStage, training, ...(perplexities ? { losses: perplexities } : {}), audit: prepared.audit });
  const curves = await readCurves(folder.file("train-log.jsonl"));
  const tiles: Tile[] = [
    { name: "Training loss", value: result.loss.toFixed(4), under: "mean over all steps" },
    { name: "Steps", value: result.steps.toLocaleString("en"), under: `${result.rows.toLocaleString("en")} rows` },
    { name: "Rows per second", value: result.rowsPerSecond.toFixed(1), under: `${result.seconds.toFixed(0)} s in all` },
    ...(perplexities ? [{ name: "Perplexity", value: perplexities.test.perplexity.toFixed(3), under: `test; validation ${perplexities.validation.perplexity.toFixed(3)}` }] : []),
  ];
  const example = stages.at(-1)?.predictions[0];
  const report = writeAnswers(
    folder, stages, prepared,
    { name: configuration.name, description: configuration.description, configuration, manifest, facts: factsOf(prepared), protocolDifferences: protocolDifferences(configuration) },
    {
      preset: configuration.name, splitKind: configuration.split.kind, training: { ...curves, tiles }, lengths: lengthFigures(prepared.filtered),
      further: [besidesSection(stages, prepared), ...(example ? [workedExample(example, prepared, configuration)] : [])],
    },
  );
  writeManifest(folder, manifest);
  return {
    folder: folder.path, report,
    headline: [
      ...stages.map((stage) => `accuracy ${stage.stage === "baseline" ? "before" : "after"} training ${percent(stage.metrics.accuracy)} of ${stage.metrics.n}`),
      `${result.steps} steps, training loss ${result.loss.toFixed(4)}, ${result.rowsPerSecond.toFixed(1)} rows/s`,
    ],
  };
}

import { html, percent as share, table } from "../report/index.js";
import { rowTexts } from "../answer/index.js";
import type { Prediction } from "../evaluate/index.js";

/** Measurements beside the published one: the letters' log-probabilities, the last-match reading, rows without a twin in train. */
function besides(stage: Stage, prepared: Prepared) {
  const clean = new Set(prepared.audit.cleanTestIds);
  const byLetters = stage.predictions.filter((one) => one.logProbabilities).map((one) => ({ ...one, prediction: "ABCD"[indexOfLargest(one.logProbabilities as readonly number[])] as Prediction["prediction"] }));
  const brief = (predictions: readonly Prediction[]) => {
    const { n, correct, accuracy, unreadable } = evaluationMetrics(predictions);
    return { n, correct, accuracy, unreadable, interval: evaluationStatistics(predictions).clustered.interval };
  };
  return {
    letterLogProbabilities: byLetters.length ? brief(byLetters) : null,
    lastMatch: brief(stage.predictions.map((one) => ({ ...one, prediction: readLetter("last-match", one.reply) }))),
    withoutTwinInTrain: clean.size ? brief(stage.predictions.filter((one) => clean.has(one.id))) : null,
  };
}

const indexOfLargest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

function besidesSection(stages: readonly Stage[], prepared: Prepared) {
  const rows = stages.flatMap((stage) => {
    const found = besides(stage, prepared);
    const line = (name: string, one: { n: number; accuracy: number; interval: readonly [number, number] } | null): string[][] => (one ? [[stage.stage, name, one.n.toLocaleString("en"), share(one.accuracy), one.interval.map((bound) => share(bound)).join(" to ")]] : []);
    return [...line("likeliest letter by log-probability", found.letterLogProbabilities), ...line("last match in the reply", found.lastMatch), ...line("test rows without a twin in train", found.withoutTwinInTrain)];
  });
  return { id: "besides", title: "Measured beside the published accuracy", body: table(["stage", "measured", "n", "accuracy", "95 % interval"], rows) };
}

function workedExample(prediction: Prediction, prepared: Prepared, configuration: FinetuneConfiguration) {
  const row = prepared.splits.test.find((one) => one.id === prediction.id);
  return {
    id: "example",
    title: "One worked example",
    body: row ? html`<p class="soft">${row.id}, true answer ${row.answer}</p><pre>${rowTexts[configuration.prompt](row)}</pre><p>Reply: <code>${prediction.reply || "(empty)"}</code>, read as ${prediction.prediction ?? "nothing"}.</p>` : html``,
  };
}
