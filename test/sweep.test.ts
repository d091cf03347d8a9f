import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChatImitation, startChatImitation } from "./chat-imitation/server.js";
import { type Finished, mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-sweep-"));
let server: ChatImitation;
/** Models that the server has to refuse, whatever its list says. */
const refused = new Set<string>(["second"]);
beforeAll(async () => {
  server = await startChatImitation({
    models: ["first", "second"],
    trouble: ({ model }) => (refused.has(model) ? { status: 400, body: { error: "broken weights" } } : undefined),
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const file = (name: string, content: unknown): string => {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  return join(folder, name);
};
const sweep = (...words: string[]): Promise<Finished> =>
  mmmlu(["sweep", ...words], {
    environment: { LMSTUDIO_ENDPOINT: server.url, XDG_CACHE_HOME: join(folder, "cache") },
  });
const matrix = {
  $schema: "./sweep.schema.json",
  models: ["first", { model: "second", name: "other" }, "third"],
  protocols: [
    { experiment: "gemma-3-27b-baseline", name: "one", set: { "answerer.questionsPerRequest": 1 } },
    { experiment: "gemma-3-27b-baseline", name: "native", set: { "answerer.instruction": "native" } },
  ],
  languages: ["DE_DE", ["FR_FR", "ES_LA"]],
  set: { "data.rowsPerLanguage": 40, split: null, "answerer.maxRetries": 0 },
};
const out = join(folder, "runs");

describe("mmmlu sweep", () => {
  it("tells what it would send, and sends nothing", async () => {
    const path = file("matrix.json", { ...matrix, models: ["first"] });
    const { code, out: told } = await sweep(path, "--sample", "--dry-run", "--out", out);
    expect(code).toBe(0);
    expect(told.split("\n").map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
      "first--one--DE_DE: 40 requests,",
      "first--one--FR_FR+ES_LA: 80 requests,",
      "first--native--DE_DE: 5 requests,",
      "first--native--FR_FR+ES_LA: 10 requests,",
      "in all: 135",
      "",
    ]);
    expect([server.seen.models, server.seen.completions]).toEqual([0, 0]);
    expect(existsSync(out)).toBe(false);
  });

  it("runs all cells in order whatever fails, tells which did, and ends with 1", async () => {
    const path = file("matrix.json", matrix);
    const { code, out: told, error } = await sweep(path, "--sample", "--out", out);
    expect(code).toBe(1);
    const begun = [...error.matchAll(/^(\d+) of 12: (.*)$/gm)].map(([, place, name]) => `${place} ${name}`);
    expect(begun).toHaveLength(12);
    expect(begun[0]).toBe("1 first--one--DE_DE");
    expect(begun[7]).toBe("8 other--native--FR_FR+ES_LA");
    expect(told).toMatch(/^4 of 12 ran, 8 failed:$/m);
    expect(told).toMatch(/^ {2}other--one--DE_DE: .*broken weights/m);
    expect(told).toMatch(/^ {2}third--one--DE_DE: .*has no model "third"/m);
    // Languages that were asked apart stand in one line; settings that differ have a sign.
    const rows = told.split("\n").filter((line) => /^\| .*first/.test(line));
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(row).toMatch(/\| +120 \|/);
    expect(told).toMatch(
      /≠ first \(first--native--DE_DE, first--native--FR_FR\+ES_LA\): instruction "native", not "english"/,
    );
  });

  it("goes on where it stopped: what is there is not asked again", async () => {
    refused.clear();
    const asked = server.seen.completions;
    const path = file("matrix.json", { ...matrix, models: matrix.models.slice(0, 2) });
    const { code, out: told } = await sweep(path, "--sample", "--out", out);
    expect([code, told]).toEqual([0, expect.stringMatching(/^4 of 8 ran, 4 were there$/m)]);
    expect(server.seen.completions - asked).toBe(135);
    const again = await sweep(path, "--sample", "--out", out);
    expect([again.code, again.out]).toEqual([0, expect.stringMatching(/^0 of 8 ran, 8 were there$/m)]);
    expect(server.seen.completions - asked).toBe(135);
    expect(JSON.parse(readFileSync(join(out, "other--one--DE_DE", "metrics.json"), "utf8")).n).toBe(40);
  });

  it.each([
    ["not JSON", "{", /is not JSON/],
    ["an unknown key", { ...matrix, model: ["x"] }, /model/],
    ["no model", { ...matrix, models: [] }, /models/],
    [
      "an experiment that is not there",
      { ...matrix, protocols: ["gemma-3-27b-basline"] },
      /did you mean gemma-3-27b-baseline/,
    ],
    ["two cells of one name", { ...matrix, models: ["first", "first"] }, /two cells would be called first--one--DE_DE/],
    ["a key that there is not", { ...matrix, set: { "answerer.temprature": 1 } }, /answerer\.temprature/],
    ["a language that there is not", { ...matrix, languages: ["DE_DE", "XX"] }, /XX/],
  ])("%s: told before anything is asked", async (_what, content, message) => {
    const before = server.seen.completions;
    const { code, error } = await sweep(file("bad.json", content), "--sample", "--out", join(folder, "bad"));
    expect([code, error]).toEqual([2, expect.stringMatching(message)]);
    expect(server.seen.completions).toBe(before);
    expect(existsSync(join(folder, "bad"))).toBe(false);
  });

  it("its file has a JSON schema", async () => {
    const { out: told } = await mmmlu(["schema", "sweep"]);
    const schema = JSON.parse(told);
    expect(Object.keys(schema.properties)).toEqual(["$schema", "out", "models", "protocols", "languages", "set"]);
    expect(schema.properties.models.description).toMatch(/Who answers/);
    expect(schema.required).toEqual(["models", "protocols"]);
  });
});
