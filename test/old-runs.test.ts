import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { mmmlu } from "./command.js";

/** Runs on the embedded rows that version 0.1 left; `stopped` is `finished`, killed after its fifth step. */
const fixtures = fileURLToPath(new URL("fixtures/runs-0.1", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mmmlu-old-runs-"));
cpSync(fixtures, folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);
const json = (...names: string[]): any => JSON.parse(readFileSync(at(...names), "utf8"));
const steps = (run: string): any[] =>
  readFileSync(at(run, "train-log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const replies = (run: string): string[] => readFileSync(at(run, "replies.jsonl"), "utf8").trim().split("\n");

/** The command of version 0.1, by its names and by today's. */
const finetune = (out: string, today: boolean): string[] => [
  ..."run flan-t5-finetune --set data.source=sample --set data.rowsPerLanguage=40 --set split.kind=grouped".split(" "),
  ..."--set model.source=reference/golden/t5/tied --set tokenizer.source=test/fixtures/runs-0.1/tokenizer".split(" "),
  ..."--set training.epochs=4 --set modelLink=null".split(" "),
  "--set",
  today ? "training.saveSteps=2" : "training.checkpointEvery=2",
  "--set",
  today ? "training.loggingSteps=1" : "training.logEvery=1",
  "--set",
  today
    ? 'lora={"r":2,"alpha":4,"dropout":0.1,"targetModules":["q","v"]}'
    : 'lora={"rank":2,"alpha":4,"dropout":0.1,"modules":["q","v"]}',
  "--set",
  today ? "evaluation.maxNewTokens=2" : "evaluation.maximumNewTokens=2",
  "--out",
  at(out),
];

describe("a run of version 0.1", () => {
  it.each([true, false])("that was stopped goes on from its checkpoint (by today's names: %s)", async (today) => {
    const run = `stopped-${today}`;
    cpSync(at("stopped"), at(run), { recursive: true });
    const { code, error } = await mmmlu(finetune(run, today));
    expect([code, /fault|another/.test(error)]).toEqual([0, false]);
    expect(error.includes("lora.rank is now called lora.r")).toBe(!today);
    // The replies from before training are not asked for again.
    expect(replies(run)).toHaveLength(16);
    const [old, ours] = [steps("finished"), steps(run)];
    expect(ours.map(({ step }) => step)).toEqual(old.map(({ step }) => step));
    expect(ours.slice(0, 4)).toEqual(steps("stopped").slice(0, 4));
    for (const [index, { loss }] of ours.entries()) expect(loss).toBeCloseTo(old[index].loss, 4);
    expect(json(run, "manifest.json").configurationHash).toBe(json("finished", "manifest.json").configurationHash);
    expect(existsSync(at(run, "model", "adapter_model.safetensors"))).toBe(true);
  });

  it("that is complete is the same run: nobody is asked again", async () => {
    const { code } = await mmmlu([
      ..."run gemma-3-27b-baseline --sample --model baseline:longest --set data.rowsPerLanguage=40".split(" "),
      "--out",
      at("evaluated"),
    ]);
    expect(code).toBe(0);
    expect(json("evaluated", "metrics.json")).toMatchObject({ asked: 0 });
    expect(json("evaluated", "manifest.json").configuration).toMatchObject({ answerExtraction: "lines" });
  });

  it("is scored", async () => {
    const { code, out } = await mmmlu(["score", at("finished"), "--reading", "first-character", "--json"]);
    expect(code).toBe(0);
    const { baseline, final } = json("finished", "metrics.json");
    expect(JSON.parse(out)).toMatchObject({
      baseline: { n: baseline.n, correct: baseline.correct },
      final: { n: final.n, correct: final.correct },
    });
  });

  it("is compared, and held against the published figures", async () => {
    const compared = await mmmlu([
      "compare",
      `${at("finished")}:baseline`,
      `${at("finished")}:final`,
      "--out",
      at("comparison.html"),
    ]);
    expect([compared.code, compared.out]).toEqual([0, expect.stringMatching(/^8 rows/)]);
    cpSync(at("finished"), at("published", "flan-t5-finetune"), { recursive: true });
    const { code, out } = await mmmlu([
      "reproduce",
      "flan-t5-finetune",
      "--no-run",
      "--json",
      "--out",
      at("published"),
    ]);
    expect(code).toBe(0);
    const [{ protocolDifferences }] = JSON.parse(out).experiments;
    expect(protocolDifferences).toContain("training.epochs: 4, published 2");
    expect(protocolDifferences.join("\n")).not.toMatch(/logEvery|accumulation|maximum/);
  });

  it("of another configuration is refused by the keys that differ, by today's names", async () => {
    const { code, error } = await mmmlu([
      ...finetune("finished", true),
      "--set",
      "training.gradientAccumulationSteps=2",
    ]);
    expect(code).toBe(1);
    expect(error).toMatch(/another configuration \(it differs in training\.gradientAccumulationSteps\)/);
  });
});
