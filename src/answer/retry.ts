import { setTimeout as sleep } from "node:timers/promises";
import { sha256 } from "../base/files.js";

/** What to do about an attempt that failed. */
export type Verdict =
  | { readonly again: true; readonly reason: string; readonly serverWaitMilliseconds?: number }
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
}

/** The one layer that makes attempts again. */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let number = 1; ; number++) {
    options.signal?.throwIfAborted();
    if (options.gate) await passGate(options.gate, options.signal);
    try {
      return await attempt();
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      const verdict = options.judge(error);
      if (!verdict.again) throw verdict.error;
      if (number > options.retries) throw options.exhausted(error, verdict.reason, number);
      const waitMilliseconds = verdict.serverWaitMilliseconds ?? backoff(number, options);
      if (verdict.serverWaitMilliseconds !== undefined && options.gate)
        options.gate.until = Math.max(options.gate.until, Date.now() + waitMilliseconds);
      options.onRetry?.({ attempt: number, reason: verdict.reason, waitMilliseconds });
      await sleep(waitMilliseconds, undefined, { signal: options.signal });
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
): number {
  const step = Math.min(longestWaitMilliseconds, firstWaitMilliseconds * 2 ** (attempt - 1));
  const jitter = parseInt(sha256(`${seed}/${attempt}`).slice(0, 8), 16) / 2 ** 32;
  return Math.round(step * (0.5 + jitter / 2));
}

/** The longest Retry-After that is believed; a longer one gets our own backing off. */
export const LONGEST_SANE_WAIT_MILLISECONDS = 120_000;

/** Milliseconds that a reply's headers ask to wait; undefined where they say nothing or nothing sane. */
export function serverWait(
  headers: { get(name: string): string | null | undefined } | undefined,
  now = Date.now(),
): number | undefined {
  const milliseconds = headers?.get("retry-after-ms");
  const after = headers?.get("retry-after");
  let wait = Number.NaN;
  if (milliseconds) wait = Number(milliseconds);
  else if (after) wait = /^\s*\d+(\.\d+)?\s*$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now;
  // "At once" from a server that has just turned us away would use up all attempts in a moment.
  return wait > 0 && wait <= LONGEST_SANE_WAIT_MILLISECONDS ? wait : undefined;
}
