import { type ReadingName, type RequestPlan, readReply } from "../answer/index.js";
import { collectGarbage } from "../base/garbage.js";
import { silent } from "../base/progress.js";
import type { Row } from "../tasks/index.js";
import { type Asked, type AskOptions, askAll } from "./ask.js";
import { type EvaluationMetrics, evaluationMetrics } from "./metrics.js";
import type { Prediction } from "./prediction.js";
import { RENEWED_AT_ONCE, renewAnswers } from "./renew-answers.js";
import { indexReplies, overlaid, predictionsFrom, type ReplyIndex, replyTo, type TokenTotals } from "./reply-index.js";

/** Rows that are asked once more, otherwise than the first time: their later reply counts. */
export interface AskedAgain {
  /** Of whole requests. */
  readonly ids: ReadonlySet<string>;
  readonly plan: RequestPlan;
}

export interface EvaluationOptions extends AskOptions {
  readonly reading: ReadingName;
  /** In order; a row of several has its last reply. */
  readonly again?: readonly AskedAgain[];
}

export interface Evaluation extends Omit<Asked, "keys"> {
  /** Over all rows, those answered before included; measured when it is asked for. */
  readonly metrics: EvaluationMetrics;
  /** Of all replies to the rows, those there before included; undefined where none says. */
  readonly tokens: TokenTotals | undefined;
  /** Kept replies that are held against other answers than the data had when they were asked. */
  readonly renewed: number;
  /** Replies by who gave them by the server's own word, where that is another model than was asked. */
  readonly answeredAs: Readonly<Record<string, number>>;
  /** Every row's prediction in the order of the rows, read from the log each time it is gone through. */
  readonly predictions: Iterable<Prediction>;
  /** The whole reply to a row, read from the log. */
  readonly replyOf: (id: string) => string;
}

/**
 * Asks all questions that have no reply yet, then, as a stage of its own, reads all replies and measures over all rows.
 * @throws {UserError} where the answerer cannot go on, or the run was interrupted: the same call goes on where it
 * stopped.
 */
export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  // A reading that does not fit is told before anything is asked.
  readReply(options.reading, "", options.plan.questionsPerRequest);
  const rounds = [await askAll(options)];
  for (const { ids, plan } of options.again ?? []) {
    const rows = { [Symbol.iterator]: () => rowsOf(options.rows, ids) };
    rounds.push(await askAll({ ...options, rows, total: ids.size, plan }));
  }
  // What asking has left.
  collectGarbage();
  const { stage } = options;
  const indexes = await indexesOf(rounds, options);
  const tokens = tokensOf(indexes.map(({ tokens }) => tokens.get(stage)));
  const renewed = indexes.reduce((sum, index) => sum + (index.renewed.get(stage)?.size ?? 0), 0);
  const answeredAs = summed(indexes.map(({ models }) => Object.fromEntries(models.get(stage) ?? [])));
  const { predictions, replyOf } = readFrom(indexes.reduce(overlaid), options);
  let metrics: EvaluationMetrics | undefined;
  return {
    ...added(rounds),
    renewed,
    answeredAs,
    tokens,
    predictions,
    replyOf,
    get metrics() {
      return (metrics ??= evaluationMetrics(predictions));
    },
  };
}

/** Where the replies of each round lie; those of rows whose answers have changed in the data are renewed first. */
async function indexesOf(rounds: readonly Asked[], options: EvaluationOptions): Promise<readonly ReplyIndex[]> {
  const { repliesPath, stage, rows, progress = silent } = options;
  // The log may hold other replies to the same rows: those to another prompt, or of another model.
  const read = () => Promise.all(rounds.map(({ keys }) => indexReplies(repliesPath, keys)));
  let indexes = await read();
  if (rounds.every(({ cached }) => cached === 0)) return indexes;
  let [all, more] = [0, 0];
  do {
    more = await renewAnswers(indexes.reduce(overlaid), stage, rows);
    if (more > 0) indexes = await read();
    all += more;
    // As many as are held at once: there may be others.
  } while (more === RENEWED_AT_ONCE);
  if (all > 0)
    progress.say(
      "the data's answers have changed since the run began: kept replies that are held against the new ones: " +
        all.toLocaleString("en"),
    );
  return indexes;
}

/** What is read from the log. A function of its own: what it gives holds nothing of the asking. */
function readFrom(
  index: ReplyIndex,
  { stage, reading, rows }: EvaluationOptions,
): Pick<Evaluation, "predictions" | "replyOf"> {
  const order = { [Symbol.iterator]: () => idsOf(rows) };
  const predictions = { [Symbol.iterator]: () => predictionsFrom(index, stage, reading, order) };
  return { predictions, replyOf: (id) => replyTo(index, stage, id) };
}

/** What several rounds of asking come to. */
function added(rounds: readonly Asked[]): Omit<Asked, "keys"> {
  const sum = (of: (round: Asked) => number): number => rounds.reduce((all, round) => all + of(round), 0);
  return {
    asked: sum(({ asked }) => asked),
    cached: sum(({ cached }) => cached),
    seconds: sum(({ seconds }) => seconds),
    retries: summed(rounds.map(({ retries }) => retries)),
  };
}

/** Counts by name, added up. */
export function summed(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries(sums);
}

/** The tokens of all rounds' replies; undefined where none of them says. */
function tokensOf(rounds: readonly (TokenTotals | undefined)[]): TokenTotals | undefined {
  const told = rounds.filter((round) => round !== undefined);
  const sum = (of: (round: TokenTotals) => number): number => told.reduce((all, round) => all + of(round), 0);
  const replies = sum((round) => round.replies);
  return replies === 0
    ? undefined
    : {
        prompt: sum(({ prompt }) => prompt),
        completion: sum(({ completion }) => completion),
        replies,
        uncounted: sum(({ uncounted }) => uncounted),
      };
}

function* idsOf(rows: Iterable<Row>): Generator<string> {
  for (const row of rows) yield row.id;
}

function* rowsOf(rows: Iterable<Row>, ids: ReadonlySet<string>): Generator<Row> {
  for (const row of rows) if (ids.has(row.id)) yield row;
}
