export { type Accuracy, accuracyOf, FEW_QUESTIONS } from "./accuracy.js";
export { type PairedCluster, pairedBootstrap } from "./bootstrap.js";
export { type AccuracyBounds, accuracyBounds, cutShare } from "./bounds.js";
export { type Calibration, type CalibrationBin, calibration, confidenceOf } from "./calibration.js";
export { byQuestion, isCorrect, questionClusters } from "./cluster.js";
export {
  type ComparedRun,
  type Comparison,
  compareRuns,
  type PairedComparison,
  type SubjectChange,
} from "./comparison.js";
export { type ClusterPart, type Design, designOf, designOfMean } from "./design-effect.js";
export { normalQuantile, studentQuantile } from "./distributions.js";
export {
  type GroupedRow,
  type GroupMean,
  groupMean,
  type PairedRow,
  pairedGroupMeanDifference,
  unpairedDifferenceInterval,
} from "./group-mean.js";
export type { SubjectAccuracy } from "./groups.js";
export {
  type Cluster,
  type ClusteredInterval,
  clopperPearsonInterval,
  clusteredInterval,
  type Interval,
  macroInterval,
  wilsonInterval,
  Z95,
} from "./interval.js";
export type { LetterBias } from "./letters.js";
export { holm, mcnemarExact } from "./mcnemar.js";
export { clusteredMcnemarExact, pairedDifferenceInterval } from "./paired.js";
export { pairedDesign } from "./paired-design.js";
export { minimumDetectableDifference, type PairedDesign, requiredQuestions } from "./power.js";
export { type EvaluationStatistics, evaluationStatistics, type Statistic, statistics } from "./registry.js";
export { intervalOfTheWhole } from "./sample.js";
export { effectiveCounts, intraclassCorrelation, type Shrinkage, shrink } from "./shrinkage.js";
