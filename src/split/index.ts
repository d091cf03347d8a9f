export { type DrawnQuestions, drawQuestions } from "./draw-questions.js";
export { type GroupedSplitOptions, groupedSplit } from "./grouped-split.js";
export { contentOf, questionGroups } from "./groups.js";
export { auditLeak, type LeakAudit, type LeakCounts } from "./leak-audit.js";
export { generator, NumpyGenerator } from "./numpy-generator.js";
export {
  hashOfSplits,
  idsOf,
  publishedSplit,
  type SplitSettings,
  type Splits,
  splitRows,
  splitTwoSources,
  zeroShotSplit,
} from "./splits.js";
export { shuffledOrder, stratifiedTrainTestSplit, type TrainTest, trainTestSplit } from "./train-test-split.js";
