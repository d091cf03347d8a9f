import { setTimeout as sleep } from "node:timers/promises";
import { withoutCredentials } from "../../base/addresses.js";
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
        if (attempt >= settings.retries || isHopeless(error) || (init?.signal?.aborted ?? false)) throw error;
        why = causeOf(error);
      }
      settings.progress.say(`${why}; trying again in ${pause.toFixed(pause < 10 ? 1 : 0)} s`);
      await pauseFor(pause, settings.signal);
    }
  };
}

/** Whether a connection fails for a reason that no second attempt changes: a name that does not exist, a certificate, an address. */
export function isHopeless(error: unknown): boolean {
  const code = String(((error as { cause?: { code?: unknown } }).cause ?? (error as { code?: unknown })).code ?? "");
  return /^(ENOTFOUND|ERR_INVALID_URL|ERR_INVALID_ARG_VALUE|CERT_.*|.*_CERT|.*_CERT_.*|UNABLE_TO_.*|ERR_SSL_WRONG_VERSION_NUMBER)$/.test(
    code,
  );
}

/** @throws {UserError} where the signal ends the pause */
export async function pauseFor(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => checkStopped(signal));
}

/** undici says only "fetch failed" and keeps the reason in the cause. Addresses in it are without their credentials. */
export function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text =
    inner instanceof Error ? inner.message || ("code" in inner ? String(inner.code) : inner.name) : String(inner);
  return withoutCredentials(text);
}
