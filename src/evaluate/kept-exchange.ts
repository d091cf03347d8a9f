import { z } from "zod";
import { readJsonLines } from "../base/json-lines.js";
import { type LoggedReply, readLog } from "./logged-reply.js";
import type { LoggedRetry } from "./retry-log.js";

/** All that a run keeps of what was asked and answered for one row. */
export interface KeptExchange {
  /** Of every stage and asking, in the order in which they came; of one asking the last counts. */
  readonly replies: readonly LoggedReply[];
  /** Attempts that failed and were made again. */
  readonly retries: readonly LoggedRetry[];
}

/** Lines of a row that are kept at most: of a file that somebody made. */
const MOST = 1000;

const retrySchema: z.ZodType<LoggedRetry> = z.looseObject({
  at: z.string().max(100),
  ids: z.array(z.string().max(500)).max(10_000),
  attempt: z.number(),
  reason: z.string().max(100_000),
  waitMilliseconds: z.number(),
});

/**
 * Goes through a run's logs once for one row; nothing else of them is parsed or kept.
 * @param files `replies.jsonl` and `retries.jsonl`, where they are there
 * @throws {UserError} where a file cannot be read, or a line of the retries is none
 */
export async function keptExchange(
  id: string,
  files: { readonly replies?: string; readonly retries?: string },
): Promise<KeptExchange> {
  const replies: LoggedReply[] = [];
  const retries: LoggedRetry[] = [];
  if (files.replies !== undefined)
    for await (const { reply } of readLog(files.replies, Buffer.from(JSON.stringify(id))))
      if (reply?.ids.includes(id) && replies.length < MOST) replies.push(reply);
  if (files.retries !== undefined)
    for await (const retry of readJsonLines(files.retries, retrySchema))
      if (retry.ids.includes(id) && retries.length < MOST) retries.push(retry);
  return { replies, retries };
}
