/**
 * Splits as numpy and datasets make them, splits that keep translations together, the leak audit.
 *
 * ```ts
 * import { loadCorpus } from "mmmlu-lab/data";
 * import { auditLeak, groupedSplit, publishedSplit } from "mmmlu-lab/split";
 *
 * const { rows } = await loadCorpus({ source: "sample", languages: ["DE_DE", "FR_FR"] });
 * for (const splits of [publishedSplit(rows), groupedSplit(rows, { validation: 0.1, test: 0.1, seed: 42 })])
 *   console.log(splits.test.length, "test rows, with a twin in train:", auditLeak(splits).test.either);
 * ```
 *
 * @module
 */

export { type DrawnQuestions, drawQuestions } from "./draw-questions.js";
export { type GroupedSplitOptions, groupedSplit } from "./grouped-split.js";
export { contentOf, questionGroups } from "./groups.js";
export { auditLeak, type LeakAudit, type LeakCounts } from "./leak-audit.js";
export { generator, NumpyGenerator } from "./numpy-generator.js";
export {
  hashOfSplits,
  publishedSplit,
  type SplitSettings,
  type Splits,
  splitIds,
  splitRows,
  splitTwoSources,
  zeroShotSplit,
} from "./splits.js";
export { shuffledOrder, stratifiedTrainTestSplit, type TrainTest, trainTestSplit } from "./train-test-split.js";
