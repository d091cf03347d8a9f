/**
 * What a run leaves: manifest, files, trackers.
 *
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { configure, onSample, presetNamed, runExperiment } from "mmmlu-lab/experiments";
 * import { silent } from "mmmlu-lab";
 * import { readManifest } from "mmmlu-lab/record";
 *
 * const configuration = await configure(onSample(presetNamed("gemma-3-27b-baseline")), [
 *   "answerer.model=baseline:longest",
 * ]);
 * const out = `${mkdtempSync(`${tmpdir()}/run-`)}/longest`;
 * await runExperiment(configuration, { out, progress: silent, environment: {} });
 * const { name, data, versions } = await readManifest(out);
 * console.log(name, data?.["rows"], versions["mmmlu-lab"]);
 * ```
 *
 * @module
 */

export { dataApart } from "./data-apart.js";
export {
  type Manifest,
  type ManifestParts,
  manifestOfRun,
  RUN_FORMAT,
  readManifest,
  writeManifest,
} from "./manifest.js";
export { type ProtocolFacts, protocolOf, protocolsApart } from "./protocol.js";
export {
  manifestSchema,
  metricsSchema,
  type RunMetrics,
  readRunFile,
  rowsMeasured,
  runFile,
  runStartSchema,
  splitsSchema,
} from "./run-files.js";
export { RunFolder, type RunStart } from "./run-folder.js";
export { savedModelOf } from "./saved-model.js";
export {
  type Logged,
  type RunDescription,
  type StartTracker,
  startTrackers,
  type Tracker,
  type TrackingChoice,
  tensorboardTracker,
  together,
  type WandbMode,
  wandbSettings,
  wandbTracker,
} from "./trackers/index.js";
export { withoutSecrets } from "./without-secrets.js";
