import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import type { Progress } from "../base/progress.js";
import { together } from "../record/index.js";
import type { LoggedStep } from "../train/index.js";
import { readCurves, TrainLog } from "./train-log.js";

const folder = mkdtempSync(join(tmpdir(), "train-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Logs steps of 8 s each, the first of 60 s, and gives what the terminal was told. */
async function logged(path: string, from: number, steps: number, totalSteps: number): Promise<string[]> {
  const told: string[] = [];
  const progress: Progress = {
    begin: (stage, total, done) => void told.push(`begin ${stage} ${total} ${done}`),
    update: () => {},
    say: (line) => void told.push(line),
    end: (note) => void told.push(`end ${note}`),
  };
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  const log = await TrainLog.open(path, { step: from, validations: [] }, together([]), progress);
  const { onBegin, onStep, onLog } = log.hooks;
  onBegin!({ step: from, totalSteps });
  for (let step = from + 1; step <= from + steps; step++) {
    now += step === from + 1 ? 60_000 : 8000;
    const line: LoggedStep = {
      step,
      epoch: 1,
      loss: 1,
      learningRate: 1e-4,
      gradientNorm: 1,
      rowsPerSecond: 1,
      seconds: now / 1000,
    };
    onStep!({ ...line, totalSteps, secondsLeft: 0 });
    onLog!(line);
  }
  log.close();
  clock.mockRestore();
  return told;
}

it("estimates the time after a few steps, the first left out, and says where training ended", async () => {
  const path = join(folder, "train-log.jsonl");
  expect(await logged(path, 0, 10, 456)).toEqual([
    "begin training 456 0",
    "about 1 h 0 min for the 450 steps left, by the first 5",
    "end ended at step 10 of 456",
  ]);
  // Steps past the checkpoint are taken again, and those before stay.
  expect(await logged(path, 7, 2, 456)).toEqual(["begin training 456 7", "end ended at step 9 of 456"]);
  expect(
    readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).step),
  ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await logged(join(folder, "whole.jsonl"), 0, 3, 3)).toEqual(["begin training 3 0", "end 3 steps, 1.0 rows/s"]);
});

it("says how far the loss is from the published one, once as a line and then beside each step", async () => {
  const told: string[] = [];
  let line = "";
  const progress: Progress = {
    begin: () => {},
    update: (_, note) => void (line = note ?? ""),
    say: (text) => void told.push(text),
    end: () => {},
  };
  const path = join(folder, "published.jsonl");
  const log = await TrainLog.open(path, undefined, together([]), progress, {
    atStep: (step) => ({ 100: 1.5116, 200: 1.4429 })[step],
    afterEpoch: (epoch) => [0.5229][epoch - 1],
  });
  const { onBegin, onStep, onLog, onValidation } = log.hooks;
  onBegin!({ step: 0, totalSteps: 300 });
  const at = (step: number, loss: number): LoggedStep => ({
    step,
    epoch: 1,
    loss,
    learningRate: 1e-4,
    gradientNorm: 1,
    rowsPerSecond: 1,
    seconds: 1,
  });
  for (const [step, loss] of [
    [99, 1.6],
    [100, 1.5],
    [200, 1.45],
    [201, 1.4],
  ] as const) {
    if (step % 100 === 0) onLog!(at(step, loss));
    onStep!({ ...at(step, loss), totalSteps: 300, secondsLeft: 0 });
  }
  onValidation!({ epoch: 1, step: 201, loss: 0.5, perplexity: Math.exp(0.5) });
  log.close();
  expect(told.filter((text) => text.includes("published"))).toEqual([
    "the loss of the steps up to 100 is 1.5000 (published 1.5116, −0.0116)",
    "epoch 1: validation loss 0.5000 (published 0.5229, −0.0229), perplexity 1.649",
  ]);
  expect(line).toMatch(/; at step 200 1\.4500 \(published 1\.4429, \+0\.0071\)$/);
  const lines = readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text));
  expect(lines.map((one) => one.publishedLoss)).toEqual([1.5116, 1.4429, 0.5229]);
  expect((await readCurves(path)).published).toEqual([
    { step: 100, loss: 1.5116 },
    { step: 200, loss: 1.4429 },
  ]);
});
