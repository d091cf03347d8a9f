export { listRepository, resolveCommit } from "./api.js";
export { isRepositoryName, type Repository } from "./cache.js";
export { downloadFile, downloadFileIfThere, downloadFiles } from "./download.js";
export { type HubSettings, hubSettings, PINNED_DATASET } from "./settings.js";
