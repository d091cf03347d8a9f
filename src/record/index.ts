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
