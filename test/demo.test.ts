import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-demo-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("npm start", () => {
  it("does the whole job on the sample, and says honestly what it is", async () => {
    const { code, out } = await mmmlu(["demo", "--out", folder]);
    expect(code).toBe(0);
    expect(out).toMatch(/mean nothing about MMMLU/);
    const report = /report: file:\/\/(\S+)/.exec(out)![1]!;
    expect(readFileSync(report, "utf8")).toContain("embedded sample");
    const metrics = (name: string) => JSON.parse(readFileSync(join(folder, name, "metrics.json"), "utf8"));
    const tuned = metrics("flan-t5-finetune");
    // From about chance: the tiny model says letters before it is fine-tuned, and guesses.
    expect(Math.abs(tuned.baseline.accuracy - 0.25)).toBeLessThan(0.1);
    expect(tuned.baseline.unreadable).toBeLessThan(0.1 * tuned.baseline.n);
    expect(tuned.final.accuracy).toBeGreaterThan(0.6);
    expect(tuned.audit.test).toMatchObject({ either: 0 });
    // Over HTTP the same model gives the same answers to the same rows.
    const served = metrics("zero-shot-over-http");
    expect([served.n, served.correct]).toEqual([tuned.final.n, tuned.final.correct]);
    expect(Math.abs(metrics("longest-choice").accuracy - 0.25)).toBeLessThan(0.15);
    expect(existsSync(join(folder, "comparison.html"))).toBe(true);
    expect(out).toMatch(/this takes about .*fine-tuning/);
    // Where it was, and that is foretold.
    const again = await mmmlu(["demo", "--out", folder]);
    expect(again.out).toContain("is not done again");
    expect(again.out).not.toContain("this takes about");
  });
});
