export { groupedSplit, type GroupedSplitOptions } from "./grouped-split.js";
export { contentOf, questionGroups } from "./groups.js";
export { auditLeak, type LeakAudit, type LeakCounts } from "./leak-audit.js";
export { generator, NumpyGenerator } from "./numpy-generator.js";
export { hashOfSplits, idsOf, publishedSplit, splitRows, type Splits, type SplitSettings, zeroShotSplit } from "./splits.js";
export { shuffledOrder, stratifiedTrainTestSplit, trainTestSplit, type TrainTest } from "./train-test-split.js";
