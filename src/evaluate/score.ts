import type { ReadingName } from "../answer/index.js";
import { UserError } from "../base/errors.js";
import { type EvaluationMetrics, evaluationMetrics } from "./metrics.js";
import type { Prediction } from "./prediction.js";
import { indexReplies, predictionsFrom } from "./reply-index.js";

/** One stage of a run, read again. */
export interface StageScore {
  readonly stage: string;
  readonly metrics: EvaluationMetrics;
  readonly predictions: Iterable<Prediction>;
}

/**
 * Reads a run's kept replies with any reading, without asking anybody and without the data.
 * @param order row ids in the order wanted (a run's `splits.json` has its test rows'); without it the log's order.
 * @throws {UserError} where there is no log, it holds no reply at all, rows of `order` have none (how many is said), or
 * the reading does not fit the replies.
 */
export async function scoreReplies(
  repliesPath: string,
  reading: ReadingName,
  order?: readonly string[],
): Promise<StageScore[]> {
  const index = await indexReplies(repliesPath);
  if (index.stages.size === 0) {
    const { words } = index.damage;
    throw new UserError(
      `${repliesPath} holds no reply${order ? ` to any of ${order.length} rows` : ""}${words ? `: ${words}` : ""}`,
      {
        hint: "Run the run's own command again: it asks what is missing, and nothing twice.",
      },
    );
  }
  return [...index.stages.keys()].map((stage) => {
    const predictions = { [Symbol.iterator]: () => predictionsFrom(index, stage, reading, order) };
    return { stage, metrics: evaluationMetrics(predictions), predictions };
  });
}
