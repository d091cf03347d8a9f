import { describe, expect, it } from "vitest";
import { LONGEST_SANE_WAIT_MILLISECONDS, type Retry, serverWait, withRetries } from "./retry.js";

const again = (reason: string, serverWaitMilliseconds?: number) => ({
  again: true as const,
  reason,
  serverWaitMilliseconds,
});

describe("withRetries", () => {
  it("makes attempts again, tells each, and gives what comes in the end", async () => {
    const retries: Retry[] = [];
    let calls = 0;
    const value = await withRetries(
      async () => {
        if (++calls < 4) throw new Error("busy");
        return "C";
      },
      {
        retries: 5,
        judge: () => again("busy"),
        exhausted: (error) => error,
        seed: "a",
        firstWaitMilliseconds: 2,
        onRetry: (retry) => retries.push(retry),
      },
    );
    expect(value).toBe("C");
    expect(retries.map((retry) => retry.attempt)).toEqual([1, 2, 3]);
    retries.forEach(({ waitMilliseconds }, index) => {
      expect(waitMilliseconds).toBeGreaterThanOrEqual(2 ** index);
      expect(waitMilliseconds).toBeLessThanOrEqual(2 * 2 ** index);
    });
  });

  it("waits the same for the same seed, and otherwise for another", async () => {
    const waits = async (seed: string): Promise<number[]> => {
      const seen: number[] = [];
      await withRetries(() => Promise.reject(new Error("x")), {
        retries: 3,
        judge: () => again("x"),
        exhausted: (error) => error,
        seed,
        firstWaitMilliseconds: 8,
        onRetry: (retry) => seen.push(retry.waitMilliseconds),
      }).catch(() => undefined);
      return seen;
    };
    expect(await waits("42/a")).toEqual(await waits("42/a"));
    const many = await Promise.all(Array.from({ length: 20 }, (_, index) => waits(String(index))));
    expect(new Set(many.map(String)).size).toBeGreaterThan(3);
  });

  it("gives up after so many, and at once where it is said to be of no use", async () => {
    let calls = 0;
    const fail = (): Promise<never> => {
      calls++;
      return Promise.reject(new Error("down"));
    };
    await expect(
      withRetries(fail, {
        retries: 2,
        judge: () => again("down"),
        exhausted: (_, reason, attempts) => new Error(`${reason} after ${attempts}`),
        seed: "",
        firstWaitMilliseconds: 1,
      }),
    ).rejects.toThrow("down after 3");
    expect(calls).toBe(3);
    await expect(
      withRetries(fail, {
        retries: 2,
        judge: () => ({ again: false, error: new Error("401") }),
        exhausted: (error) => error,
        seed: "",
      }),
    ).rejects.toThrow("401");
    expect(calls).toBe(4);
  });

  it("holds every request back until the server's time is over", async () => {
    const gate = { until: 0 };
    let told = false;
    const options = {
      retries: 1,
      judge: () => again("429", 120),
      exhausted: (error: unknown) => error,
      seed: "",
      gate,
    };
    const first = withRetries(async () => {
      if (told) return;
      told = true;
      throw new Error("429");
    }, options);
    await expect.poll(() => gate.until).toBeGreaterThan(0);
    await withRetries(async () => undefined, options);
    // A timer may be early by the part of a millisecond that the clock leaves out.
    expect(Date.now()).toBeGreaterThanOrEqual(gate.until - 1);
    await first;
  });

  it("waits for a server that is loading without counting attempts, as long as its patience", async () => {
    let calls = 0;
    const loading = { again: true as const, reason: "loading", loading: true };
    const options = {
      retries: 0,
      judge: () => loading,
      exhausted: (_: unknown, reason: string, attempts: number) => new Error(`${reason} after ${attempts}`),
      seed: "",
      firstWaitMilliseconds: 2,
      longestWaitMilliseconds: 4,
    };
    const value = await withRetries(async () => {
      if (++calls < 9) throw new Error("503");
      return "C";
    }, options);
    expect([value, calls]).toEqual(["C", 9]);
    await expect(
      withRetries(() => Promise.reject(new Error("503")), { ...options, loadingPatienceMilliseconds: 20 }),
    ).rejects.toThrow(/loading after \d+/);
  });

  it("begins no wait that would end after its patience", async () => {
    const waits: number[] = [];
    await expect(
      withRetries(() => Promise.reject(new Error("x")), {
        retries: Infinity,
        judge: () => again("x"),
        exhausted: () => new Error("too late"),
        seed: "",
        firstWaitMilliseconds: 8,
        patienceMilliseconds: 60,
        onRetry: (retry) => waits.push(retry.waitMilliseconds),
      }),
    ).rejects.toThrow("too late");
    expect(waits.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(60);
  });

  it("ends its waiting when aborted", async () => {
    const abort = new AbortController();
    const waiting = withRetries(() => Promise.reject(new Error("x")), {
      retries: 1,
      judge: () => again("x"),
      exhausted: (error) => error,
      seed: "",
      firstWaitMilliseconds: 60_000,
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 10);
    await expect(waiting).rejects.toThrow();
  });
});

describe("serverWait", () => {
  const headers = (values: Record<string, string>): Headers => new Headers(values);
  it("believes what is sane", () => {
    expect(serverWait(headers({ "retry-after": "3" }))).toBe(3000);
    expect(serverWait(headers({ "retry-after": "0.5" }))).toBe(500);
    expect(serverWait(headers({ "retry-after-ms": "250", "retry-after": "9" }))).toBe(250);
    const now = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");
    expect(serverWait(headers({ "retry-after": "Wed, 21 Oct 2026 07:28:10 GMT" }), now)).toBe(10_000);
    expect(serverWait(headers({ "retry-after": "Wednesday, 21-Oct-26 07:28:10 GMT" }), now)).toBe(10_000);
    expect(serverWait(headers({ "retry-after-ms": "soon", "retry-after": "9" }))).toBe(9000);
    expect(serverWait(headers({ "retry-after-ms": "-5", "retry-after": "2" }))).toBe(2000);
  });
  it.each([
    {},
    { "retry-after": "-1" },
    { "retry-after": "0" },
    { "retry-after-ms": "0" },
    { "retry-after": "soon" },
    { "retry-after": "in 5" },
    { "retry-after": "1e3" },
    { "retry-after": "0x10" },
    { "retry-after": "Infinity" },
    { "retry-after": "3, 4" },
    { "retry-after": "86400" },
    { "retry-after": "9".repeat(1000) },
    { "retry-after": "Wed, 21 Oct 2999 07:28:10 GMT" },
    { "retry-after": String(LONGEST_SANE_WAIT_MILLISECONDS / 1000 + 1) },
    { "retry-after": "Wed, 21 Oct 1999 07:28:10 GMT" },
  ])("does not believe %j", (values) => {
    expect(serverWait(headers(values as Record<string, string>))).toBeUndefined();
  });
});
