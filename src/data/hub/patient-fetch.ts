import { setTimeout as sleep } from "node:timers/promises";
import { checkStopped } from "../../base/errors.js";
import type { HubSettings } from "./settings.js";

/** A `fetch` that tries again after 429, 5xx and cut connections, with growing pauses; what it gives in the end is the last answer. */
export function patientFetch(
  settings: Pick<HubSettings, "retries" | "retrySeconds" | "progress" | "signal">,
): typeof fetch {
  return async (input, init) => {
    for (let attempt = 0; ; attempt++) {
      let pause = settings.retrySeconds * 2 ** attempt;
      let why: string;
      try {
        const response = await fetch(input, { ...init, signal: settings.signal ?? init?.signal });
        if ((response.status !== 429 && response.status < 500) || attempt >= settings.retries) return response;
        const after = Number(response.headers.get("retry-after"));
        if (after > 0 && after <= 300) pause = after;
        why = `the hub answered ${response.status}`;
        await response.body?.cancel();
      } catch (error) {
        checkStopped(settings.signal);
        if (attempt >= settings.retries || (init?.signal?.aborted ?? false)) throw error;
        why = causeOf(error);
      }
      settings.progress.say(`${why}; trying again in ${pause.toFixed(pause < 10 ? 1 : 0)} s`);
      await pauseFor(pause, settings.signal);
    }
  };
}

/** @throws {UserError} where the signal ends the pause */
export async function pauseFor(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => checkStopped(signal));
}

/** undici says only "fetch failed" and keeps the reason in the cause. */
export function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message || ("code" in inner ? String(inner.code) : inner.name) : String(inner);
}
