/** The four experiments: their configuration, and what a run does from first to last. */
export { type ReadingName, readingNames } from "../answer/index.js";
export type {
  EvaluateConfiguration,
  ExperimentConfiguration,
  ExploreConfiguration,
  FinetuneConfiguration,
} from "./configuration.js";
export { configure, defineExperiment, type ExperimentFile, presetNamed } from "./configure.js";
export type { RunContext, RunOutcome } from "./context.js";
export { protocolDifferences } from "./differences.js";
export { identityOf } from "./identity.js";
export { type Prepared, prepare, splitIds, withSplit } from "./prepare.js";
export { presets } from "./presets/index.js";
export { PUBLISHED, publishedAccuracy } from "./published.js";
export { agrees, type ReproducedFigure, type Reproduction, reproductionOf } from "./reproduce.js";
export { runExperiment } from "./run.js";
export { onSample, SAMPLE, sampleTokenizerFolder } from "./sample.js";
export { sampleModelFolder } from "./sample-model.js";
