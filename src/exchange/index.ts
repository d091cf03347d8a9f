export { type Aligned, alignResults, withoutKeysApart } from "./align.js";
export * from "./explain/index.js";
export { EVAL_RESULTS, type ExportedRun, type Exporter, evalResults, exporters } from "./exporters/index.js";
export { letterOf, placeOf, plainText, textId, textKey } from "./identify.js";
export { type Importer, importerOf, importers, loadResult, loadResults } from "./importers/index.js";
export {
  type AskedText,
  isKnownByText,
  protocolOfResult,
  type Result,
  type ResultFacts,
  type Scoring,
} from "./result.js";
