import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChatImitation, startChatImitation } from "./chat-imitation/server.js";
import { mmmlu } from "./command.js";

/*
 * Batch evaluation from first to last. Who answers the files is a runner that keeps to the formats: OpenAI's (results in
 * any order, errors in a file of their own) and vLLM's (one file, errors in it with a null body).
 */

const folder = mkdtempSync(join(tmpdir(), "mmmlu-batch-"));
const at = (...names: string[]): string => join(folder, ...names);
const lines = (path: string): any[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const write = (name: string, values: readonly unknown[]): string => {
  writeFileSync(at(name), values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  return at(name);
};

let server: ChatImitation;
const EXPERIMENT = ["gemma-3-27b-baseline", "--sample", "--set", "data.rowsPerLanguage=300"];
const requests: any[] = [];
let results: any[] = [];

/** Sends a line's body where it says, as both runners do. */
async function answered(line: any, number: number): Promise<any> {
  const reply = await fetch(new URL(line.url.replace(/^\/v1\//, ""), server.url), {
    method: line.method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(line.body),
  });
  return {
    id: `batch_req_${number}`,
    custom_id: line.custom_id,
    response: { status_code: reply.status, request_id: `req-${number}`, body: await reply.json() },
    error: null,
  };
}

beforeAll(async () => {
  server = await startChatImitation();
  const { code, out, error } = await mmmlu([
    ...["export", "batch", ...EXPERIMENT, "--out", at("files"), "--requests-per-file", "4"],
  ]);
  expect([code, error]).toEqual([0, expect.any(String)]);
  const files = readdirSync(at("files")).filter((name) => name.endsWith(".jsonl"));
  expect(files.length).toBeGreaterThan(1);
  for (const name of files) {
    expect(lines(at("files", name)).length).toBeLessThanOrEqual(4);
    expect(out).toContain(at("files", name));
    requests.push(...lines(at("files", name)));
  }
  results = await Promise.all(requests.map(answered));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const importing = (out: string, ...files: string[]) =>
  mmmlu(["import", "batch", ...EXPERIMENT, ...files, "--out", at(out)]);
const running = (out: string) =>
  mmmlu(["run", ...EXPERIMENT, "--out", at(out)], { environment: { LMSTUDIO_ENDPOINT: server.url } });
/** What was asked of whom and answered, without when. */
const predictions = (out: string): any[] => lines(at(out, "predictions.jsonl"));

describe("batch evaluation", () => {
  it("writes lines of OpenAI's format: one model, unique ids, the routes that it has", () => {
    expect(new Set(requests.map(({ custom_id }) => custom_id)).size).toBe(requests.length);
    for (const { custom_id, method, url, body, ...more } of requests) {
      expect([custom_id, method, url, more]).toEqual([
        expect.stringMatching(/^[0-9a-f]{32}$/),
        "POST",
        "/v1/chat/completions",
        {},
      ]);
      expect(body).toEqual({
        model: "gemma-3-27b-it",
        temperature: 0,
        max_tokens: expect.any(Number),
        messages: [
          { role: "system", content: expect.any(String) },
          { role: "user", content: expect.stringMatching(/^Q1: /) },
        ],
      });
    }
  });

  it("gives what a live run gives, from several files in any order with repeats, without a request", async () => {
    const [first, second] = [results.slice(0, 5).reverse(), results.slice(4)];
    const imported = await importing("whole", write("b.jsonl", second), write("a.jsonl", first));
    expect(imported.code).toBe(0);
    expect(imported.out).toContain(`${results.length} of ${requests.length} requests answered by these files`);
    expect(imported.out).toContain("1 repeated, 0 without a reply");
    const before = server.seen.completions;
    expect((await running("whole")).code).toBe(0);
    expect(server.seen.completions).toBe(before);
    expect((await running("live")).code).toBe(0);
    expect(predictions("whole")).toEqual(predictions("live"));
    const again = await importing("whole", at("a.jsonl"));
    expect(again.out).toMatch(/^0 of \d+ requests answered by these files, \d+ there before, 5 repeated/);
  });

  it("asks live only what failed or is missing, and tells why it failed", async () => {
    const without = results.slice(1);
    const vllm = without.map((result, i) =>
      i === 0
        ? { ...result, response: { status_code: 400, request_id: "r", body: null }, error: { message: "too long" } }
        : i === 1
          ? { ...result, response: null, error: "the engine died" }
          : result,
    );
    const expired = { ...without[2], response: null, error: { code: "batch_expired", message: "expired" } };
    const file = write(
      "vllm.jsonl",
      vllm.filter((_, i) => i !== 2),
    );
    writeFileSync(file, '{"custom_id": "torn', { flag: "a" });
    const imported = await importing("partly", write("errors.jsonl", [expired]), file);
    expect(imported.code).toBe(0);
    expect(imported.out).toContain("4 without a reply");
    expect(imported.out).toContain("1 line is no results");
    for (const why of ["status 400: too long", "the engine died", "expired: (batch_expired)"])
      expect(imported.out).toContain(`1 failed: ${why}`);
    const before = server.seen.completions;
    expect((await running("partly")).code).toBe(0);
    expect(server.seen.completions - before).toBe(4);
    expect(predictions("partly").map(({ id, reply }) => [id, reply])).toEqual(
      expect.arrayContaining(predictions("whole").map(({ id, reply }) => [id, reply])),
    );
  });

  it("refuses results of another experiment, files that are none, and folders that hold something else", async () => {
    const other = await importing(
      "other",
      write(
        "other.jsonl",
        results.map((one) => ({ ...one, custom_id: "x" })),
      ),
    );
    expect([other.code, other.error]).toEqual([1, expect.stringMatching(/none of the \d+ lines .* this experiment/)]);
    const none = await importing("none", write("none.jsonl", [{ hello: 1 }]));
    expect([none.code, none.error]).toEqual([1, expect.stringMatching(/none of the 1 lines/)]);
    const missing = await importing("missing", at("not-there.jsonl"));
    expect([missing.code, missing.error]).toEqual([1, expect.stringContaining("not-there.jsonl")]);
    const full = await mmmlu(["export", "batch", ...EXPERIMENT, "--out", at("whole")]);
    expect([full.code, full.error]).toEqual([
      1,
      expect.stringMatching(/is there already, and what it holds \(.*\) would be lost/),
    ]);
    const here = await mmmlu(["export", "batch", ...EXPERIMENT, "--model", "baseline:longest", "--out", at("here")]);
    expect([here.code, here.error]).toEqual([1, expect.stringContaining("baseline:longest is asked on this machine")]);
    const nowhere = await mmmlu(["export", "batch", ...EXPERIMENT]);
    expect([nowhere.code, nowhere.error]).toEqual([2, expect.stringContaining("--out")]);
    const kind = await mmmlu(["export", "batch", "flan-t5-finetune", "--sample", "--out", at("kind")]);
    expect([kind.code, kind.error]).toEqual([2, expect.stringContaining("kind is finetune")]);
  });
});
