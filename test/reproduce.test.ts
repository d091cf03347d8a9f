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

  it("--all goes through all published experiments, with each fine-tuning before and after", async () => {
    const server = await startChatImitation({});
    const out = join(folder, "all");
    try {
      const few = ["data.rowsPerLanguage=80"].flatMap((setting) => ["--set", setting]);
      const given = ["reproduce", "--all", "--sample", "--out", out, ...few];
      const environment = { LMSTUDIO_ENDPOINT: server.url };
      const { code, out: said, error } = await mmmlu(given, { environment });
      expect({ code, error: code === 0 ? "" : error }).toEqual({ code: 0, error: "" });
      const names = ["eda", "flan-t5-finetune", "gemma-2-2b-finetune", "gemma-3-27b-baseline"];
      for (const [place, name] of names.entries()) {
        expect(error).toContain(`${place + 1} of 4: ${name}`);
        expect(said).toContain(`${name} (on the embedded sample: not comparable)`);
        expect(existsSync(join(out, name, "manifest.json"))).toBe(true);
      }
      expect(said.match(/final minus .*baseline: .* points\); McNemar p = /g)).toHaveLength(2);
      expect(existsSync(join(out, "flan-t5-finetune", "before-and-after.html"))).toBe(true);
      // Nothing runs twice.
      const again = await mmmlu(given, { environment });
      expect(again).toMatchObject({ code: 0, out: said });
    } finally {
      await server.stop();
    }
    const both = await mmmlu(["reproduce", "eda", "--all"]);
    expect(both).toMatchObject({ code: 2, error: expect.stringMatching(/--all and an experiment's name/) });
  });

  it("takes the published experiments alone", async () => {
    expect(await mmmlu(["reproduce", "mine.json"])).toMatchObject({
      code: 2,
      error: expect.stringMatching(/"mine\.json" is no published experiment[^]*eda, flan-t5-finetune/),
    });
    expect(await mmmlu(["reproduce", "gemma-3-270m-finetune"])).toMatchObject({
      code: 2,
      error: expect.stringMatching(/is no published experiment/),
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
