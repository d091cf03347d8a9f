/**
 * Running the questions; metrics, statistics, comparison.
 *
 * ```ts
 * import { compareRuns, type Prediction } from "mmmlu-lab/evaluate";
 *
 * const row = (at: number, prediction: "A" | "B"): Prediction => ({
 *   ...{ id: `DE_DE/anatomy/${at}`, language: "DE_DE", subject: "anatomy", stage: "test", answer: "A" },
 *   ...{ prediction, reply: prediction },
 * });
 * const first = Array.from({ length: 40 }, (_, at) => row(at, at % 4 ? "B" : "A"));
 * const second = Array.from({ length: 40 }, (_, at) => row(at, at % 2 ? "B" : "A"));
 * const [pair] = compareRuns([
 *   { name: "first", predictions: first },
 *   { name: "second", predictions: second },
 * ]).pairs;
 * console.log(pair?.difference, pair?.interval, pair?.clusteredPValue);
 * ```
 *
 * @module
 */

export { type Asked, type AskOptions, askAll } from "./ask.js";
export {
  type AskedAccuracy,
  type AskedAnswer,
  type AskedDifference,
  type Asking,
  type OrderStatistics,
  orderStatistics,
  type RepeatStatistics,
  repeatStatistics,
} from "./askings.js";
export { type GroupFigures, groupFigures } from "./group-figures.js";
export { type KeptExchange, keptExchange } from "./kept-exchange.js";
export * from "./lens/index.js";
export { type LoggedReply, type LogLine, loggedReplySchema, readLog } from "./logged-reply.js";
export { type EvaluationMetrics, evaluationMetrics, type GroupAccuracy } from "./metrics.js";
export { bfloat16Step, type NearTies, nearTies } from "./near-ties.js";
export { type Prediction, readPredictions, writePredictions } from "./prediction.js";
export { indexReplies, KeptReplies, predictionsFrom, type ReplyIndex, type TokenTotals } from "./reply-index.js";
export type { LoggedRetry } from "./retry-log.js";
export { lettersOfAnswers, questionOfAnswer, type RowFacts } from "./row-facts.js";
export { type AskedAgain, type Evaluation, type EvaluationOptions, evaluate, summed } from "./run.js";
export { type StageScore, scoreReplies } from "./score.js";
export * from "./statistics/index.js";
export { type Result, type Taken, takeReplies } from "./take-replies.js";
export { type UnreadableCounts, type UnreadableReason, unreadableInWords, wasCut, whyInWords } from "./unreadable.js";
