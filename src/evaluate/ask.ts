import { setMaxListeners } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Answerer,
  type AnswerRequest,
  type RawReply,
  type RequestPlan,
  requestKeys,
  requestsFor,
  Unanswered,
} from "../answer/index.js";
import { UserError } from "../base/errors.js";
import { collectGarbageAbove } from "../base/garbage.js";
import { type Progress, silent } from "../base/progress.js";
import type { Row } from "../tasks/index.js";
import { KeySet, type Keys } from "./key-set.js";
import { loggedReply } from "./logged-reply.js";
import { ReplyLog } from "./reply-log.js";
import { RetryLog } from "./retry-log.js";
import { factsOfRows, type RowFacts } from "./row-facts.js";

export interface AskOptions {
  /** The rows as they are asked, in the order of `predictions.jsonl`; gone through more than once. */
  readonly rows: Iterable<Row>;
  /** How many rows there are, for the progress bar. */
  readonly total: number;
  readonly answerer: Answerer;
  readonly plan: RequestPlan;
  /** Names this evaluation among those of its run: `zero-shot`, `baseline`, `final`. */
  readonly stage: string;
  /** By how many places the rows' options are turned round; 0 unless given. */
  readonly order?: number;
  /** Which asking of the rows it is, from 0. */
  readonly repeat?: number;
  /** The run's `replies.jsonl`: appended to, and gone on from. */
  readonly repliesPath: string;
  /** The run's `retries.jsonl`: a line for each attempt made again; there is no file while there is none. */
  readonly retriesPath?: string;
  /** Calls of the answerer under way at once. */
  readonly concurrency: number;
  readonly progress?: Progress;
  /** Aborting drops what is under way; what has landed is kept. */
  readonly signal?: AbortSignal;
}

export interface Asked {
  /** Questions answered now, and questions whose replies were there already. */
  readonly asked: number;
  readonly cached: number;
  /** Attempts made again, by reason. */
  readonly retries: Readonly<Record<string, number>>;
  /** Of all requests: under them the log holds their replies. */
  readonly keys: Keys;
  /** Spent asking, the answerer's preparation left out. */
  readonly seconds: number;
}

/**
 * What lives while a reply is awaited is old when it comes, some 10 kB a request: so many bytes of it are let stand,
 * looked at after so many requests. Each collection stops all that is under way.
 */
const [LEFT_BYTES, LOOK_EACH] = [24 << 20, 64];

/** The facts are found while the rows' texts are at hand: when the reply comes, those of many others were read. */
type KeyedRequest = AnswerRequest & { readonly key: string; readonly facts: readonly RowFacts[] | undefined };

/**
 * So many requests without a reply, one after another and none answered between them, and the server is not asked on:
 * eight, or a hundredth of the replies that are kept. Of a run that has nothing else left to ask, those that
 * never get a reply all follow each other.
 */
const unansweredInARow = (kept: number): number => Math.max(8, Math.ceil(kept / 100));

/** How long what is under way may still land after another request has ended the run. */
const LANDING_MILLISECONDS = 10_000;

/**
 * Asks all questions that have no reply in the log yet; each reply is on disk before the next is asked in its place.
 * Memory: what is under way, and the keys of the requests and of replies that were there at the start.
 * @throws {UserError} where the answerer cannot go on, replies cannot be kept, or the signal was aborted.
 */
export async function askAll(options: AskOptions): Promise<Asked> {
  const { answerer, stage, order = 0, repeat = 0, progress = silent, signal } = options;
  const log = await ReplyLog.open(options.repliesPath);
  const retries = new RetryLog(options.retriesPath);
  if (log.damage.words) progress.say(`${log.damage.words}: left where it is, and what it answered is asked again`);
  const counts = { asked: 0, cached: 0 };
  const keys = new KeySet();
  const show = (): void => progress.update(counts.asked + counts.cached, retries.note);
  const open = openRequests(options, log, keys, (questions) => {
    counts.cached += questions;
    show();
  });

  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const interrupt = (): void => abort.abort(signal?.reason);
  if (signal?.aborted) interrupt();
  signal?.addEventListener("abort", interrupt, { once: true });
  let failure: { error: unknown } | undefined;
  const unanswered: { first?: Unanswered; questions: number; inARow: number } = { questions: 0, inARow: 0 };
  let landing: NodeJS.Timeout | undefined;

  const onRetry: NonNullable<Parameters<Answerer["answer"]>[1]>["onRetry"] = (request, retry) => {
    if (failure) throw failure.error;
    retries.add(request, retry);
    show();
  };

  const ask = async (requests: readonly KeyedRequest[]): Promise<void> => {
    const sent = performance.now();
    const replies = await answerer.answer(requests, { signal: abort.signal, onRetry });
    const milliseconds = Math.round(performance.now() - sent);
    const lines = requests.map((request, index) =>
      loggedReply(stage, request.key, request, replies[index] as RawReply, milliseconds, { order, repeat }),
    );
    try {
      log.append(...lines);
    } catch (error) {
      // What cannot be kept is not waited for.
      failure ??= { error };
      abort.abort();
      throw error;
    }
    unanswered.inARow = 0;
    for (const request of requests) counts.asked += request.rows.length;
    show();
  };

  const noReply = (hint: string): UserError =>
    new UserError(
      `${unanswered.questions.toLocaleString("en")} of ${options.total.toLocaleString("en")} questions got ` +
        `no reply that can be kept; the first: ${unanswered.first?.message}`,
      { hint, cause: unanswered.first },
    );
  const withoutReplies = (): UserError =>
    noReply(
      `${unanswered.inARow} requests in a row got none, so it was not asked on; ` +
        `${log.kept.toLocaleString("en")} replies are kept. Look at the server, then run the same command again: it ` +
        "goes on from there.",
    );

  const worker = async (first?: readonly KeyedRequest[]): Promise<void> => {
    try {
      for (
        let requests = first ?? take(open, answerer.requestsAtOnce);
        requests.length > 0 && !failure && !abort.signal.aborted;
        requests = take(open, answerer.requestsAtOnce)
      )
        await ask(requests).catch((error: unknown) => {
          if (!(error instanceof Unanswered) || failure) throw error;
          unanswered.first ??= error;
          for (const request of requests) unanswered.questions += request.rows.length;
          if (++unanswered.inARow >= unansweredInARow(log.kept)) throw withoutReplies();
        });
    } catch (error) {
      failure ??= { error };
      landing ??= setTimeout(() => abort.abort(), LANDING_MILLISECONDS);
    }
  };

  progress.begin(`${stage}: ${answerer.name}`, options.total);
  let started = performance.now();
  try {
    const first = take(open, answerer.requestsAtOnce);
    // Where all replies are there, nobody need be able to answer.
    if (first.length > 0)
      await answerer.prepare(abort.signal, ({ reason }) => progress.update(counts.cached, `waiting: ${reason}`));
    started = performance.now();
    const workers = [worker(first)];
    while (workers.length < options.concurrency) {
      workers.push(worker());
      // Lets what has been made be sent before many more are made.
      if (workers.length % 8 === 0) await nextTurn();
    }
    await Promise.all(workers);
  } catch (error) {
    failure ??= { error };
  } finally {
    clearTimeout(landing);
    signal?.removeEventListener("abort", interrupt);
    try {
      retries.close();
      log.close();
    } catch (error) {
      failure ??= { error };
    }
  }
  const done = `${(counts.asked + counts.cached).toLocaleString("en")} of ${options.total.toLocaleString("en")}`;
  if (signal?.aborted) {
    progress.end(`stopped at ${done}`);
    throw new UserError(`stopped after ${done} questions`, {
      hint: "What was answered is kept: run the same command again, it goes on from there.",
      cause: signal.reason,
    });
  }
  if (unanswered.first && !failure)
    failure = {
      error: noReply(
        "All others are answered and kept. Run the same command again: it asks only these; or ask another server " +
          "for them.",
      ),
    };
  if (failure) {
    progress.end(`failed at ${done}`);
    throw failure.error;
  }
  progress.end(
    [
      `${counts.asked.toLocaleString("en")} answered`,
      counts.cached ? `${counts.cached.toLocaleString("en")} there before` : "",
      retries.note,
    ]
      .filter(Boolean)
      .join(", "),
  );
  return { ...counts, keys, retries: retries.byReason, seconds: (performance.now() - started) / 1000 };
}

/** The requests whose replies are not in the log; the others are counted and passed over. */
function* openRequests(
  { rows, plan, answerer, stage, repeat }: AskOptions,
  log: ReplyLog,
  keys: KeySet,
  passedOver: (questions: number) => void,
): Generator<KeyedRequest> {
  const keyOf = requestKeys(answerer.identity);
  let looked = 0;
  for (const request of requestsFor(rows, plan)) {
    const key = keyOf(request);
    keys.add(key);
    if (++looked % LOOK_EACH === 0) collectGarbageAbove(LEFT_BYTES);
    if (log.has(stage, key)) passedOver(request.rows.length);
    else yield { key, facts: factsOfRows(request.rows), ...request, ...(repeat ? { repeat } : {}) };
  }
}

function take<T>(from: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const next = from.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}
