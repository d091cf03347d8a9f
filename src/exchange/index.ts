/**
 * Results of other tools: read, laid beside ours, explained, and written for them.
 *
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { silent } from "mmmlu-lab";
 * import { explainDifference, loadResult } from "mmmlu-lab/exchange";
 * import { configure, onSample, presetNamed, runExperiment } from "mmmlu-lab/experiments";
 *
 * const folder = mkdtempSync(`${tmpdir()}/runs-`);
 * const answers = async (model: string) => {
 *   const configuration = await configure(onSample(presetNamed("gemma-3-27b-baseline")), [`answerer.model=${model}`]);
 *   const out = `${folder}/${model.replace(":", "-")}`;
 *   await runExperiment(configuration, { out, progress: silent, environment: {} });
 *   return loadResult(out);
 * };
 * const { difference, parts } = explainDifference(
 *   await answers("baseline:random"),
 *   await answers("baseline:longest"),
 * );
 * console.log(difference, parts);
 * ```
 *
 * @module
 */

export { type Aligned, alignResults, keysApartIn, keysApartInWords, withoutKeysApart } from "./align.js";
export * from "./explain/index.js";
export { EVAL_RESULTS, type ExportedRun, type Exporter, evalResults, exporters } from "./exporters/index.js";
export { letterOf, placeOf, plainText, textId, textKey } from "./identify.js";
export { type Importer, importerOf, importers, loadResult, loadResults } from "./importers/index.js";
export { type PromptTurn, turnsAsText } from "./prompt-turns.js";
export {
  type AskedText,
  isKnownByText,
  protocolOfResult,
  type Result,
  type ResultFacts,
  type Scoring,
} from "./result.js";
