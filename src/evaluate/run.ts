import { type ReadingName, readReply } from "../answer/index.js";
import type { Row } from "../tasks/index.js";
import { type Asked, type AskOptions, askAll } from "./ask.js";
import { type EvaluationMetrics, evaluationMetrics } from "./metrics.js";
import type { Prediction } from "./prediction.js";
import { indexReplies, predictionsFrom } from "./reply-index.js";

export interface EvaluationOptions extends AskOptions {
  readonly reading: ReadingName;
}

export interface Evaluation extends Omit<Asked, "keys"> {
  /** Over all rows, those answered before included. */
  readonly metrics: EvaluationMetrics;
  /** Every row's prediction in the order of the rows, read from the log each time it is gone through. */
  readonly predictions: Iterable<Prediction>;
}

/**
 * Asks all questions that have no reply yet, then, as a stage of its own, reads all replies and measures over all rows.
 * @throws {UserError} where the answerer cannot go on, or the run was interrupted: the same call goes on where it
 * stopped.
 */
export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  // A reading that does not fit is told before anything is asked.
  readReply(options.reading, "", options.plan.questionsPerRequest);
  const { keys, ...asked } = await askAll(options);
  // The log may hold other replies to the same rows: those to another prompt, or of another model.
  const index = await indexReplies(options.repliesPath, keys);
  const order = { [Symbol.iterator]: () => idsOf(options.rows) };
  const predictions = { [Symbol.iterator]: () => predictionsFrom(index, options.stage, options.reading, order) };
  return { ...asked, metrics: evaluationMetrics(predictions), predictions };
}

function* idsOf(rows: Iterable<Row>): Generator<string> {
  for (const row of rows) yield row.id;
}
