export { askAll, type Asked, type AskOptions } from "./ask.js";
export { type EvaluationMetrics, evaluationMetrics, type GroupAccuracy } from "./metrics.js";
export { type Prediction, readPredictions, writePredictions } from "./prediction.js";
export { indexReplies, type LoggedReply, predictionsFrom, type ReplyIndex } from "./reply-log.js";
export { type LoggedRetry } from "./retry-log.js";
export { evaluate, type Evaluation, type EvaluationOptions } from "./run.js";
export { scoreReplies, type StageScore } from "./score.js";
export * from "./statistics/index.js";
