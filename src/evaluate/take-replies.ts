import { type Answerer, type RawReply, type RequestPlan, requestKeys, requestsFor } from "../answer/index.js";
import { messageOf } from "../base/errors.js";
import type { Row } from "../tasks/index.js";
import { loggedReply } from "./logged-reply.js";
import { ReplyLog } from "./reply-log.js";
import { factsOfRows } from "./row-facts.js";

/** A result of a request that was asked elsewhere. */
export interface Result {
  /** The request's key. */
  readonly key: string;
  /** Reads the reply to a request for these rows. @throws {Error} where it is none: why, in a sentence */
  reply(rows: readonly Row[]): RawReply;
}

export interface TakeOptions {
  readonly rows: Iterable<Row>;
  readonly plan: RequestPlan;
  readonly answerer: Pick<Answerer, "identity">;
  readonly stage: string;
  /** The run's `replies.jsonl`. */
  readonly repliesPath: string;
  /** In any order; several may be of one request. */
  readonly results: AsyncIterable<Result> | Iterable<Result>;
}

/** What became of results, in requests. */
export interface Taken {
  readonly taken: number;
  /** Whose replies were in the log before. */
  readonly before: number;
  /** Further results of requests that have a reply. */
  readonly repeated: number;
  /** Results that are no reply, by why. */
  readonly faults: Readonly<Record<string, number>>;
  /** Results of requests that are not among these. */
  readonly foreign: number;
  /** Requests still without a reply, and all of them. */
  readonly missing: number;
  readonly requests: number;
}

/** Reasons that are told apart at most. */
const REASONS = 20;

/**
 * Takes replies that were had elsewhere into a run's log, as if they had been asked live: each once, in the order in
 * which they come. Memory: the keys of the requests.
 * @throws {UserError} where the log cannot be read or written
 */
export async function takeReplies({ rows, plan, answerer, stage, repliesPath, results }: TakeOptions): Promise<Taken> {
  const keyOf = requestKeys(answerer.identity);
  const open = new Map<string, readonly Row[]>();
  const answered = new Set<string>();
  const log = await ReplyLog.open(repliesPath);
  const [counts, faults] = [{ taken: 0, repeated: 0, foreign: 0 }, new Map<string, number>()];
  try {
    for (const request of requestsFor(rows, plan)) {
      const key = keyOf(request);
      if (log.has(stage, key)) answered.add(key);
      else open.set(key, request.rows);
    }
    const before = answered.size;
    const requests = before + open.size;
    for await (const { key, reply } of results) {
      const asked = open.get(key);
      if (!asked) {
        counts[answered.has(key) ? "repeated" : "foreign"]++;
        continue;
      }
      let raw: RawReply;
      try {
        raw = reply(asked);
      } catch (error) {
        const why = messageOf(error);
        const told = faults.has(why) || faults.size < REASONS ? why : "other reasons";
        faults.set(told, (faults.get(told) ?? 0) + 1);
        continue;
      }
      log.append(loggedReply(stage, key, { rows: asked, facts: factsOfRows(asked) }, raw, 0));
      open.delete(key);
      answered.add(key);
      counts.taken++;
    }
    return { ...counts, before, faults: Object.fromEntries(faults), missing: open.size, requests };
  } finally {
    log.close();
  }
}
