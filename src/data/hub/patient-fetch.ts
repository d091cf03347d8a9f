import { setTimeout as sleep } from "node:timers/promises";
import { withoutCredentials } from "../../base/addresses.js";
import { checkStopped } from "../../base/errors.js";
import { HttpClient } from "../../base/http.js";
import { failureOf, isForGood } from "../../base/http-failure.js";
import { serverWait, withRetries } from "../../base/retry.js";
import type { HubSettings } from "./settings.js";

const client = new HttpClient();

/** An answer that may be another one later. */
class Busy extends Error {
  constructor(readonly response: Response) {
    super(`the hub answered ${response.status}`);
  }
}

/**
 * Fetches, and tries again after 429, 5xx and cut connections, with growing pauses; what it gives in the end is the
 * last answer.
 */
export function patientFetch(
  settings: Pick<HubSettings, "retries" | "retrySeconds" | "progress" | "signal">,
): (url: string, init?: RequestInit) => Promise<Response> {
  const { retries, retrySeconds, progress, signal } = settings;
  return async (url, init) => {
    let busy: Busy | undefined;
    const attempt = async (): Promise<Response> => {
      await busy?.response.body?.cancel();
      busy = undefined;
      const response = await client.fetch(url, { ...init, signal });
      if (response.status === 429 || response.status >= 500) throw (busy = new Busy(response));
      return response;
    };
    try {
      return await withRetries(attempt, {
        retries,
        firstWaitMilliseconds: retrySeconds * 1000,
        seed: url,
        signal,
        exhausted: (error) => error,
        judge: (error) =>
          error instanceof Busy
            ? { again: true, reason: error.message, serverWaitMilliseconds: serverWait(error.response.headers) }
            : isHopeless(error)
              ? { again: false, error }
              : { again: true, reason: causeOf(error) },
        onRetry: ({ reason, waitMilliseconds }) => {
          const seconds = waitMilliseconds / 1000;
          progress.say(`${reason}; trying again in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`);
        },
      });
    } catch (error) {
      checkStopped(signal);
      if (error instanceof Busy) return error.response;
      throw error;
    }
  };
}

/**
 * Whether a connection fails for a reason that no second attempt changes: a name that does not exist, a certificate, an
 * address.
 */
export const isHopeless = (error: unknown): boolean => isForGood(failureOf(error));

/** @throws {UserError} where the signal ends the pause */
export async function pauseFor(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => checkStopped(signal));
}

/** Why there was no answer, in words; addresses in it are without their credentials. */
export const causeOf = (error: unknown): string => withoutCredentials(failureOf(error).message);
