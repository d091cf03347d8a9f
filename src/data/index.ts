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
export { LANGUAGES, type Language, LETTERS, type Letter, questionOf, type Row } from "./row.js";
export { SAMPLE_QUESTIONS, sampleFolder, writeSample } from "./sample/index.js";
export { CATEGORIES, type Category, categoryOf, cleanSubject, SUBJECTS } from "./subjects.js";
