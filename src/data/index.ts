export { type Corpus, type CorpusFile, type CorpusOptions, loadCorpus, type OwnColumns } from "./corpus.js";
export {
  downloadFile,
  downloadFileIfThere,
  downloadFiles,
  type HubSettings,
  hubSettings,
  isRepositoryName,
  listRepository,
  type Repository,
  resolveCommit,
} from "./hub/index.js";
export { readTable } from "./read-table.js";
export { SAMPLE_QUESTIONS, sampleFolder, writeSample } from "./sample/index.js";
export type { Cell, Table } from "./table.js";
export { jsonLinesToParquet } from "./write-parquet.js";
