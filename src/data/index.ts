export { type Corpus, type CorpusFile, type CorpusOptions, loadCorpus } from "./corpus.js";
export { COLUMNS, type Column } from "./csv.js";
export {
  downloadFile,
  downloadFileIfThere,
  downloadFiles,
  type HubSettings,
  hubSettings,
  isRepositoryName,
  listRepository,
  PINNED_DATASET,
  type Repository,
  resolveCommit,
} from "./hub/index.js";
export { SAMPLE_QUESTIONS, sampleFolder, writeSample } from "./sample/index.js";
