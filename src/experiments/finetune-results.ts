import { lstatSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { messageOf } from "../base/errors.js";
import { writeWhole } from "../base/files.js";
import type { Progress } from "../base/progress.js";
import { elementCount } from "../graph/index.js";
import { type ManifestParts, manifestOfRun, protocolOf, type RunFolder, writeManifest } from "../record/index.js";
import { percent, type Tile } from "../report/index.js";
import type { TrainingResult } from "../train/index.js";
import { additionalMetrics, additionalMetricsSection, fixedExample, workedExample } from "./additional-metrics.js";
import type { ExampleAnswer } from "./ask-model.js";
import { protocolDifferences } from "./configuration/differences.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import type { RunOutcome } from "./context.js";
import { type Stage, sampleNotes, stageMetrics, writeAnswers } from "./evaluation-results.js";
import { lengthFigures } from "./lengths.js";
import type { ExperimentModel } from "./model.js";
import { CARD, modelCard } from "./model-card/card.js";
import { cardRun } from "./model-card/run.js";
import { factsOf, manifestOf, type Prepared } from "./prepare.js";
import { experimentOf, type FinalLosses } from "./presets/index.js";
import { withPublishedFigures } from "./reproduce.js";
import type { Trained } from "./run-finetune.js";
import { readCurves } from "./train-log.js";

/** All that a fine-tuning run found. */
export interface FinetuneResults {
  readonly prepared: Prepared;
  readonly loaded: ExperimentModel;
  readonly stages: readonly Stage[];
  readonly training: TrainingResult;
  /** Who trained it, where another engine did. */
  readonly engine?: Trained["engine"];
  readonly losses: FinalLosses | undefined;
  /** The published run's fixed example, answered after training. */
  readonly example: ExampleAnswer | undefined;
}

/** Writes metrics, predictions, figures, report and, last, the manifest of a fine-tuning run whose model is saved. */
export async function publishFinetune(
  configuration: FinetuneConfiguration,
  folder: RunFolder,
  { prepared, loaded, stages, training: result, engine, losses, example }: FinetuneResults,
): Promise<RunOutcome> {
  const parts = manifestOf(prepared, configuration.split);
  const manifest = {
    kind: configuration.kind,
    ...parts,
    model: {
      ...loaded.identity,
      quantization: configuration.model.quantization,
      lora: configuration.lora,
      trainedParameters: trainedParameters(loaded),
      parameters: allParameters(loaded),
      torchDtype: configuration.model.torchDtype,
      license: loaded.license ?? null,
    },
    device: loaded.device.describe(),
    protocol: protocolOf({ configuration }),
    seeds: { split: configuration.split.seed, training: configuration.training.seed },
    ...(engine ? { engine: engine.facts } : {}),
    notes: [...sampleNotes(parts), ...(engine ? [engine.note] : [])],
  };
  const measured = stages.map((stage) => ({ stage, metrics: stageMetrics(stage, prepared.drawn?.ofQuestions) }));
  const byStage = Object.fromEntries(
    measured.map(({ stage, metrics }) => [
      stage.stage,
      {
        ...metrics,
        seconds: stage.seconds,
        additionalMetrics: additionalMetrics(stage, prepared, configuration),
      },
    ]),
  );
  const training = {
    steps: result.steps,
    rows: result.rows,
    loss: result.loss,
    seconds: result.seconds,
    rowsPerSecond: result.rowsPerSecond,
    validations: result.validations,
    bestEpoch: result.bestEpoch,
  };
  const perplexities = losses && {
    validation: { loss: losses.validation, perplexity: Math.exp(losses.validation) },
    test: { loss: losses.test, perplexity: Math.exp(losses.test) },
  };
  const metrics = {
    ...byStage,
    training,
    ...(perplexities ? { losses: perplexities } : {}),
    ...(example ? { example } : {}),
    audit: prepared.audit,
  };
  folder.writeJson("metrics.json", metrics);
  const curves = await readCurves(folder.file("train-log.jsonl"));
  const tiles: Tile[] = [
    { name: "Training loss", value: result.loss.toFixed(4), under: "mean over all steps" },
    { name: "Steps", value: result.steps.toLocaleString("en"), under: `${result.rows.toLocaleString("en")} rows` },
    { name: "Rows per second", value: result.rowsPerSecond.toFixed(1), under: `${result.seconds.toFixed(0)} s in all` },
    ...(perplexities
      ? [
          {
            name: "Perplexity",
            value: perplexities.test.perplexity.toFixed(3),
            under: `test; validation ${perplexities.validation.perplexity.toFixed(3)}`,
          },
        ]
      : []),
  ];
  const first = stages.at(-1)?.predictions[0];
  const report = await writeAnswers(
    folder,
    stages,
    prepared,
    {
      name: configuration.name,
      description: configuration.description,
      configuration,
      manifest,
      facts: factsOf(prepared),
      protocolDifferences: protocolDifferences(configuration),
      published: withPublishedFigures(experimentOf(configuration), { metrics, manifest, trainLog: curves.points }),
    },
    {
      experiment: experimentOf(configuration),
      splitKind: configuration.split.kind,
      training: { ...curves, tiles },
      lengths: await lengthFigures(prepared.filtered),
      further: [
        additionalMetricsSection(stages, prepared, configuration),
        ...(first ? [workedExample(first, prepared, configuration)] : []),
        ...(example ? [fixedExample(example)] : []),
      ],
    },
  );
  await writeCard(folder, manifest);
  writeManifest(folder, manifest);
  return {
    folder: folder.path,
    report,
    stages: measured.map(({ stage, metrics }) => ({ stage: stage.stage, metrics, statistics: metrics.statistics })),
    headline: [
      ...stages.map(
        (stage) =>
          `accuracy ${stage.stage === "baseline" ? "before" : "after"} training ` +
          `${percent(stage.metrics.accuracy)} of ${stage.metrics.n}`,
      ),
      `${result.steps} steps, training loss ${result.loss.toFixed(4)}, ${result.rowsPerSecond.toFixed(1)} rows/s`,
    ],
  };
}

/** Puts the card into the saved model's folder: whoever gets the folder knows what it is. */
async function writeCard(folder: RunFolder, parts: ManifestParts): Promise<void> {
  const run = await cardRun(folder.path, manifestOfRun(folder, parts));
  writeWhole(folder.file("model", CARD), modelCard(run));
}

const allParameters = ({ model }: ExperimentModel): number =>
  model.parameters.reduce((sum, { shape }) => sum + elementCount(shape), model.stored.count);

const trainedParameters = ({ model }: ExperimentModel): number =>
  model.parameters.filter(({ trained }) => trained).reduce((sum, { shape }) => sum + elementCount(shape), 0);

/**
 * Leads from the folder's name in the published run to the saved model: a relative link beside the run's folder.
 * Something else of that name stays as it is, and it is said.
 */
export function linkModel(name: string, folder: RunFolder, progress: Progress): void {
  const link = join(dirname(resolve(folder.path)), name);
  const target = relative(dirname(link), resolve(folder.file("model")));
  try {
    const there = lstatSync(link, { throwIfNoEntry: false });
    if (there?.isSymbolicLink()) {
      if (readlinkSync(link) === target) return;
      rmSync(link);
    } else if (there) {
      progress.say(`${link} is not a link of ours and stays; the model is in ${folder.file("model")}`);
      return;
    }
    symlinkSync(target, link, "dir");
  } catch (error) {
    progress.say(`no link ${link} could be made (${messageOf(error)}); the model is in ${folder.file("model")}`);
  }
}
