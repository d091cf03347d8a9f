export { type PairedCluster, pairedBootstrap } from "./bootstrap.js";
export { type Calibration, type CalibrationBin, calibration } from "./calibration.js";
export { byQuestion, isCorrect, questionClusters } from "./cluster.js";
export {
  type ComparedRun,
  type Comparison,
  compareRuns,
  type PairedComparison,
  type SubjectChange,
} from "./comparison.js";
export { type ClusterPart, type Design, designOf, designOfMean } from "./design-effect.js";
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
export { holm, mcnemarExact } from "./mcnemar.js";
export { clusteredMcnemarExact, pairedDifferenceInterval } from "./paired.js";
export { minimumDetectableDifference, type PairedDesign, requiredQuestions } from "./power.js";
export { effectiveCounts, intraclassCorrelation, type Shrinkage, shrink } from "./shrinkage.js";
export {
  type Accuracy,
  accuracyOf,
  type EvaluationStatistics,
  evaluationStatistics,
  FEW_QUESTIONS,
  type LetterBias,
  type SubjectAccuracy,
} from "./summary.js";
