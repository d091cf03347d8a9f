export { type Manifest, type ManifestParts, readManifest, RUN_FORMAT, writeManifest } from "./manifest.js";
export { RunFolder, type RunStart } from "./run-folder.js";
export { type Logged, type RunDescription, tensorboardTracker, together, type Tracker, type WandbMode, wandbSettings, wandbTracker } from "./trackers/index.js";
