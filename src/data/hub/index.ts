export type { Repository } from "./cache.js";
export { downloadFile, downloadFileIfThere, downloadFiles, listRepository, resolveCommit } from "./download.js";
export { type HubSettings, hubSettings, PINNED_DATASET } from "./settings.js";
