import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startChatImitation } from "./chat-imitation/server.js";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-reproduce-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const reproduce = (...more: string[]): string[] => [
  "reproduce",
  "eda",
  "--sample",
  "--languages",
  "DE_DE,FR_FR",
  "--out",
  folder,
  ...more,
];
const finished = (): string => JSON.parse(readFileSync(join(folder, "eda", "manifest.json"), "utf8")).finished;

describe("mmmlu reproduce", () => {
  it("runs what has not run, puts published beside measured, and names the differences of protocol", async () => {
    const { code, out } = await mmmlu(reproduce());
    expect(code).toBe(0);
    expect(out).toMatch(/eda \(on the embedded sample: not comparable\)[^]*rows +published +196,588 +measured +4,560/);
    expect(out).toMatch(/rows by language: 14 figures; each stands in the report/);
    expect(out).toMatch(/protocol: data\.source: "sample", published "openai\/MMMLU"/);
    expect(existsSync(join(folder, "reproduction.html"))).toBe(true);
  });

  it("reads a finished run, runs it again with --fresh, and says where flags ask for another one", async () => {
    const first = finished();
    expect((await mmmlu(reproduce())).code).toBe(0);
    expect((await mmmlu(["reproduce", "eda", "--out", folder])).out).toMatch(/measured +4,560/);
    expect(finished()).toBe(first);
    const other = await mmmlu(reproduce("--set", "subjectsDrawn=7"));
    expect(other).toMatchObject({
      code: 1,
      out: expect.stringMatching(/eda: not run: .*another configuration \(it differs in subjectsDrawn\)/),
    });
    expect(finished()).toBe(first);
    expect((await mmmlu(reproduce("--fresh"))).code).toBe(0);
    expect(finished()).not.toBe(first);
    expect(readdirSync(folder).some((name) => name.startsWith("eda.before-"))).toBe(true);
  });

  it("takes the published experiments alone", async () => {
    expect(await mmmlu(["reproduce", "mine.json"])).toMatchObject({
      code: 2,
      error: expect.stringMatching(/"mine\.json" is no published experiment[^]*eda, flan-t5-finetune/),
    });
  });

  it("stops at Ctrl-C instead of going on with the next experiment", async () => {
    const server = await startChatImitation({ delayMilliseconds: 100 });
    const out = join(folder, "stopped");
    try {
      const { code, error } = await mmmlu(["reproduce", "gemma-3-27b-baseline", "eda", "--sample", "--out", out], {
        environment: { LMSTUDIO_ENDPOINT: server.url },
        started: (child) => {
          const watch = setInterval(() => {
            if (server.seen.completions === 0) return;
            clearInterval(watch);
            child.kill("SIGINT");
          }, 20);
        },
      });
      expect(code).toBe(1);
      expect(error).toMatch(/stopped after \d+ of 456 questions/);
      expect(readdirSync(out)).toEqual(["gemma-3-27b-baseline"]);
    } finally {
      await server.stop();
    }
  });
});
