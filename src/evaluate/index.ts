export { type Asked, type AskOptions, askAll } from "./ask.js";
export { type EvaluationMetrics, evaluationMetrics, type GroupAccuracy } from "./metrics.js";
export { type Prediction, readPredictions, writePredictions } from "./prediction.js";
export { indexReplies, type LoggedReply, predictionsFrom, type ReplyIndex } from "./reply-log.js";
export type { LoggedRetry } from "./retry-log.js";
export { type Evaluation, type EvaluationOptions, evaluate } from "./run.js";
export { type StageScore, scoreReplies } from "./score.js";
export * from "./statistics/index.js";
