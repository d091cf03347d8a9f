export { listRepository, resolveCommit } from "./api.js";
export { cachedPaths, isRepositoryName, type Repository } from "./cache.js";
export { downloadFile, downloadFileIfThere, downloadFiles } from "./download.js";
export { type HubSettings, hubSettings } from "./settings.js";
