export { type Manifest, type ManifestParts, readManifest, RUN_FORMAT, writeManifest } from "./manifest.js";
export { RunFolder, type RunStart } from "./run-folder.js";
