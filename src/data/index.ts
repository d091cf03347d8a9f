/**
 * Rows of a task: from the hub, a folder or a file, or the embedded sample.
 *
 * ```ts
 * import { loadCorpus } from "mmmlu-lab/data";
 *
 * const { rows, nulls } = await loadCorpus({ source: "sample", languages: ["DE_DE", "FR_FR"] });
 * console.log(rows.length, rows[0]?.id, rows[0]?.question, rows[0]?.choices, nulls);
 * ```
 *
 * @module
 */

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
export { type ParquetType, writeParquet } from "./write-parquet.js";
