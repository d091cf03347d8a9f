import { setTimeout as sleep } from "node:timers/promises";
import { sha256 } from "./files.js";

/** What to do about an attempt that failed. */
export type Verdict =
  | {
      readonly again: true;
      readonly reason: string;
      readonly serverWaitMilliseconds?: number;
      /** The server says that it is getting ready: that is waited for, and counts as no attempt. */
      readonly loading?: boolean;
    }
  | { readonly again: false; readonly error: unknown };

/** An attempt that failed and is made again. */
export interface Retry {
  /** Which attempt failed, from 1. */
  readonly attempt: number;
  readonly reason: string;
  readonly waitMilliseconds: number;
}

/** Shared by all requests to one server: when it says "not before", none of them asks before. */
export interface Gate {
  until: number;
}

export interface RetryOptions {
  /** How often an attempt may be made again. */
  readonly retries: number;
  readonly judge: (error: unknown) => Verdict;
  /** Makes the error of the last attempt, once there are no more. */
  readonly exhausted: (error: unknown, reason: string, attempts: number) => unknown;
  /** The jitter is a function of this text and the attempt: the same run waits the same. */
  readonly seed: string;
  readonly signal?: AbortSignal;
  readonly onRetry?: (retry: Retry) => void;
  readonly gate?: Gate;
  /** The first wait; each further one is twice as long, up to the longest. */
  readonly firstWaitMilliseconds?: number;
  readonly longestWaitMilliseconds?: number;
  /** For all attempts together: no wait begins that would end later. */
  readonly patienceMilliseconds?: number;
  /** For a server that is loading, from when it first says so. */
  readonly loadingPatienceMilliseconds?: number;
}

/** How long a server that is loading is waited for: large models take minutes from a slow disk. */
const LOADING_PATIENCE = 15 * 60_000;
/** Between two looks at a server that is loading. */
const LONGEST_LOADING_WAIT = 10_000;

/**
 * The one layer that makes attempts again: for chat servers, the hub and trackers.
 * @throws what `judge` calls final, what `exhausted` makes of the last attempt, or the signal's reason
 */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retries, signal, gate, patienceMilliseconds = Infinity } = options;
  const started = Date.now();
  let failed = 0;
  let loadingSince: number | undefined;
  for (let number = 1; ; number++) {
    signal?.throwIfAborted();
    if (gate) await passGate(gate, signal);
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const verdict = options.judge(error);
      if (!verdict.again) throw verdict.error;
      const waitMilliseconds = verdict.serverWaitMilliseconds ?? backoff(number, options, verdict.loading);
      const ends = Date.now() + waitMilliseconds;
      if (verdict.loading) loadingSince ??= Date.now();
      else failed++;
      if (
        failed > retries ||
        ends - started > patienceMilliseconds ||
        (verdict.loading && ends - (loadingSince as number) > (options.loadingPatienceMilliseconds ?? LOADING_PATIENCE))
      )
        throw options.exhausted(error, verdict.reason, number);
      if (verdict.serverWaitMilliseconds !== undefined && gate) gate.until = Math.max(gate.until, ends);
      options.onRetry?.({ attempt: number, reason: verdict.reason, waitMilliseconds });
      await sleep(waitMilliseconds, undefined, { signal });
    }
  }
}

async function passGate(gate: Gate, signal: AbortSignal | undefined): Promise<void> {
  for (let wait = gate.until - Date.now(); wait > 0; wait = gate.until - Date.now())
    await sleep(wait, undefined, { signal });
}

/** Doubling, between half and all of the step by the seed's jitter. */
function backoff(
  attempt: number,
  { seed, firstWaitMilliseconds = 500, longestWaitMilliseconds = 60_000 }: RetryOptions,
  loading = false,
): number {
  const longest = loading ? Math.min(LONGEST_LOADING_WAIT, longestWaitMilliseconds) : longestWaitMilliseconds;
  const step = Math.min(longest, firstWaitMilliseconds * 2 ** Math.min(attempt - 1, 30));
  const jitter = parseInt(sha256(`${seed}/${attempt}`).slice(0, 8), 16) / 2 ** 32;
  return Math.round(step * (0.5 + jitter / 2));
}

/**
 * The longest Retry-After that is believed (the hub's windows are of five minutes); a longer one gets our own backing
 * off.
 */
export const LONGEST_SANE_WAIT_MILLISECONDS = 300_000;

/** An HTTP date as servers write it: `Wed, 21 Oct 2026 07:28:00 GMT`, and the two older forms. */
const DATE = /^\s*(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\d\d:\d\d:\d\d/i;

/**
 * Milliseconds that a reply's headers ask to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC
 * 9110, 10.2.3); undefined where they say nothing, or nothing sane.
 */
export function serverWait(
  headers: { get(name: string): string | null | undefined } | undefined,
  now = Date.now(),
): number | undefined {
  const milliseconds = decimal(headers?.get("retry-after-ms"));
  const after = headers?.get("retry-after") ?? "";
  const seconds = decimal(after);
  const waits = [
    milliseconds,
    seconds === undefined ? undefined : seconds * 1000,
    DATE.test(after.slice(0, 100)) ? Date.parse(after) - now : undefined,
  ];
  // "At once" from a server that has just turned us away would use up all attempts in a moment.
  return waits.find((wait) => wait !== undefined && wait > 0 && wait <= LONGEST_SANE_WAIT_MILLISECONDS);
}

const decimal = (text: string | null | undefined): number | undefined =>
  /^\s*\d{1,15}(\.\d{1,15})?\s*$/.test(text ?? "") ? Number(text) : undefined;
