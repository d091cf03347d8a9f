/**
 * The experiments: their configuration, and what a run does from first to last.
 *
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { silent } from "mmmlu-lab";
 * import { configure, onSample, presetNamed, runExperiment } from "mmmlu-lab/experiments";
 *
 * const preset = onSample(presetNamed("gemma-3-27b-baseline"));
 * const configuration = await configure(preset, ["answerer.model=baseline:random"]);
 * const out = `${mkdtempSync(`${tmpdir()}/run-`)}/random`;
 * const { headline, report } = await runExperiment(configuration, { out, progress: silent, environment: {} });
 * console.log(headline, report);
 * ```
 *
 * @module
 */

export { type ReadingName, readingNames } from "../answer/index.js";
export { askExchanged, type Exchanged, requireAskable } from "./ask-exchanged.js";
export { askImported } from "./ask-imported.js";
export { type ExportedBatch, exportBatch } from "./batch/export.js";
export { type ImportedBatch, importBatch } from "./batch/import.js";
export {
  type EngineSettings,
  exportTraining,
  finetuneWithRay,
  finetuneWithTorch,
  importTraining,
  type RaySettings,
  type WrittenBundle,
} from "./bundle/index.js";
export { type ChosenDevice, chooseDevice, describeAdapter } from "./choose-device.js";
export { asText, type Comparable, comparableOf } from "./comparable.js";

export { type ConfigureOptions, configure, presetNamed, type Setting } from "./configuration/configure.js";
export { defineExperiment, type ExperimentFile } from "./configuration/define-experiment.js";
export { protocolDifferences } from "./configuration/differences.js";
export { identityOf } from "./configuration/identity.js";
export { configurationJsonSchema, type JsonSchema } from "./configuration/json-schema.js";
export { configurationPage } from "./configuration/page.js";
export { configurationPaths } from "./configuration/paths.js";
export type {
  EvaluateConfiguration,
  ExperimentConfiguration,
  ExploreConfiguration,
  FinetuneConfiguration,
} from "./configuration/schema.js";
export type { RunContext, RunOutcome, StageOutcome } from "./context.js";
export { type DeviceReport, deviceReports, type ExperimentFit } from "./device-report.js";
export { type DryRun, dryRun, type TokensIn } from "./dry-run.js";
export { type ExportedHub, type ExportHubOptions, exportHub } from "./export-hub.js";
export { culturalLabels, labelsOfTexts, reduxErrors, rowsOfRun } from "./lens-labels.js";
export { openRun } from "./open-run.js";
export { type Plan, planExperiment } from "./plan.js";
export { type Prepared, prepare, withSplit } from "./prepare.js";
export {
  type Experiment,
  experimentOf,
  experiments,
  presets,
  publishedPresets,
  type ReproducedFigure,
} from "./presets/index.js";
export { type Estimate, type Prices, type Probe, probeRun, sumOver } from "./probe.js";
export { agrees, type Reproduction, reproductionOf } from "./reproduce.js";
export { runExperiment } from "./run.js";
export { questionReader } from "./run-questions.js";
export { onSample, SAMPLE, sampleTokenizerFolder } from "./sample.js";
export { sampleModelFolder } from "./sample-model.js";
export { readSweep, type Sweep, type SweepCell, sweepJsonSchema } from "./sweep.js";
export { type PromptsOfRun, promptsOfRun, promptWriter } from "./written-prompt.js";
