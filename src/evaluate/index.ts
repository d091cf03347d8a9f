export { type Asked, type AskOptions, askAll } from "./ask.js";
export { type LoggedReply, type LogLine, loggedReplySchema, readLog } from "./logged-reply.js";
export { type EvaluationMetrics, evaluationMetrics, type GroupAccuracy } from "./metrics.js";
export { type Prediction, readPredictions, writePredictions } from "./prediction.js";
export { indexReplies, predictionsFrom, type ReplyIndex } from "./reply-index.js";
export type { LoggedRetry } from "./retry-log.js";
export { type Evaluation, type EvaluationOptions, evaluate } from "./run.js";
export { type StageScore, scoreReplies } from "./score.js";
export * from "./statistics/index.js";
