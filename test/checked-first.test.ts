import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleFolder } from "../src/data/index.js";
import { type ChatImitation, startChatImitation } from "./chat-imitation/server.js";
import { type Finished, mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-first-"));
let server: ChatImitation;
beforeAll(async () => {
  server = await startChatImitation();
  cpSync(sampleFolder(), join(folder, "data"), { recursive: true });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const run = (out: string, endpoint: string, ...words: string[]): Promise<Finished> =>
  mmmlu(["run", "gemma-3-27b-baseline", "--offline", "--out", join(folder, out), ...words], {
    environment: { LMSTUDIO_ENDPOINT: endpoint, XDG_CACHE_HOME: join(folder, "cache") },
  });
const data = ["--data", join(folder, "data"), "--set", "data.rowsPerLanguage=20", "--set", "split=null"];

describe("before any row is read", () => {
  it.each([
    ["a server that is not there", [], "http://127.0.0.1:9/v1/", /no server answers/],
    ["a model that the server has not", ["--model", "gemma-4"], undefined, /has no model "gemma-4"/],
    ["a local model that is not there", ["--model", "local:./nowhere"], undefined, /there is no folder/],
    [
      "log-probabilities that the server does not send",
      ["--set", "answerer.logprobs=true", "--set", "answerer.questionsPerRequest=1"],
      undefined,
      /log-probabilities/,
    ],
  ])("%s is told", async (_what, words, endpoint, message) => {
    const { code, error } = await run("told", endpoint ?? server.url, "--sample", ...words);
    expect(code).toBeGreaterThan(0);
    expect(error).toMatch(message);
    expect(error).not.toMatch(/reading rows|counting tokens/);
    expect(existsSync(join(folder, "told", "splits.json"))).toBe(false);
  });

  it("nobody is asked where all replies are there", async () => {
    const words = ["--sample", "--set", "data.rowsPerLanguage=40"];
    expect((await run("whole", server.url, ...words)).error).toMatch(/answered/);
    const again = await run("whole", "http://127.0.0.1:9/v1/", ...words);
    expect([again.code, again.error]).toEqual([0, expect.stringMatching(/0 answered, \d+ there before/)]);
  });
});

describe("the tokenizer", () => {
  // Its source is a gated repository, and there is no network.
  it("is not asked for where no length is counted", async () => {
    const { code, error } = await run("unfiltered", server.url, ...data, "--set", "filter=null");
    expect([code, error]).toEqual([0, expect.stringMatching(/40 answered/)]);
  });

  it("is asked for where it is needed, and told", async () => {
    mkdirSync(join(folder, "hub"), { recursive: true });
    const { code, error } = await run("filtered", server.url, ...data);
    expect([code, error]).toEqual([1, expect.stringMatching(/google\/gemma-2-2b-it is not in the cache/)]);
  });

  it("counts the same rows once", async () => {
    const words = ["--sample", "--set", "data.rowsPerLanguage=60"];
    expect((await run("counted", server.url, ...words)).error).not.toMatch(/as counted before/);
    expect((await run("counted-again", server.url, ...words)).error).toMatch(/kept .*, as counted before/);
  });
});
