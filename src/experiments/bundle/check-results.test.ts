import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { learningRateAt } from "../../train/index.js";
import { configure, presetNamed } from "../configuration/configure.js";
import type { FinetuneConfiguration } from "../configuration/schema.js";
import { trainingOptionsOf } from "../run-finetune.js";
import { checkLog, checkResult } from "./check-results.js";
import type { EngineResult } from "./format.js";

const folder = mkdtempSync(join(tmpdir(), "check-results-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROWS = 20;
const [PER_EPOCH, TOTAL, LOGGED] = [3, 9, 2];
const configuration = (await configure(
  presetNamed("flan-t5-finetune"),
  [
    ...["epochs=3", "batchSize=8", "gradientAccumulationSteps=1", "validateEachEpoch=true", "loadBestModelAtEnd=true"],
    ...["earlyStoppingPatience=1", "loggingSteps=50", "warmupRatio=0.1", "lrScheduler=cosine"],
  ].map((one) => `training.${one}`),
)) as FinetuneConfiguration;

type Line = Record<string, number>;
const learningRate = (step: number): number =>
  learningRateAt({ ...trainingOptionsOf(configuration), totalSteps: TOTAL }, step - 1);
const lossOf = (step: number): number => 3 - step / 10;

/** A run of so many steps, logged every second one, as an engine leaves it. */
function run(steps: number, losses: readonly number[]): { result: EngineResult; log: Line[] } {
  const log: Line[] = [];
  for (let step = 1, since = 0, sum = 0; step <= steps; step++) {
    sum += lossOf(step);
    if (step % LOGGED === 0 || step === TOTAL) {
      const rest = { epoch: step / PER_EPOCH, gradientNorm: 1, rowsPerSecond: 1, seconds: step };
      log.push({ step, loss: sum / (step - since), learningRate: learningRate(step), ...rest });
      [since, sum] = [step, 0];
    }
    const epoch = step / PER_EPOCH;
    if (Number.isInteger(epoch)) log.push({ validationLoss: losses[epoch - 1]!, perplexity: 1, epoch, step });
  }
  const validations = log
    .filter((line) => "validationLoss" in line)
    .map(({ epoch, step, validationLoss }) => ({ epoch: epoch!, step: step!, loss: validationLoss! }));
  const mean = Array.from({ length: steps }, (_, index) => lossOf(index + 1)).reduce((a, b) => a + b, 0) / steps;
  const hash = "0".repeat(64);
  const result: EngineResult = {
    ...{ format: 1, job: hash, identity: hash, files: {}, weights: hash, processes: 1, precision: "float32" },
    ...{ device: "CPU", engine: {}, seconds: 1, rowsPerSecond: 1, steps, loss: mean, validations },
    rows: Math.floor(steps / PER_EPOCH) * ROWS + (steps % PER_EPOCH) * 8,
    bestEpoch: losses.indexOf(Math.min(...losses)) + 1,
  };
  return { result, log };
}
const whole = run(TOTAL, [3, 2, 1]);
const stoppedEarly = run(6, [2, 2]);

async function check(result: EngineResult, log: readonly Line[]): Promise<void> {
  writeFileSync(join(folder, "train-log.jsonl"), log.map((line) => `${JSON.stringify(line)}\n`).join(""));
  checkResult("result.json", result, configuration, ROWS);
  await checkLog(folder, result, configuration, ROWS);
}

describe("results of an engine", () => {
  it("are taken where they agree, also of training that ended early", async () => {
    await check(whole.result, whole.log);
    await check(stoppedEarly.result, stoppedEarly.log);
  });

  it.each<[string, (result: EngineResult) => Partial<EngineResult>, RegExp]>([
    ["fewer steps", () => ({ steps: 6 }), /says 6 steps, and there are 9/],
    ["more steps", () => ({ steps: 12 }), /says 12 steps/],
    ["no step", () => ({ steps: 0, rows: 0, validations: [], bestEpoch: null }), /says 0 steps/],
    ["other rows", () => ({ rows: 59 }), /says 59 rows, and 9 steps have 60/],
    ["a loss below zero", () => ({ loss: -1 }), /loss is -1/],
    ["no validations", () => ({ validations: [], bestEpoch: null }), /has 0 validations, and there are 3/],
    ["a validation twice", ({ validations: [a, b] }) => ({ validations: [a!, b!, b!], bestEpoch: 2 }), /validation 3/],
    [
      "validations at other steps",
      ({ validations }) => ({ validations: validations.map((one) => ({ ...one, step: 1 })) }),
      /validation 1 is of epoch 1 after step 1/,
    ],
    ["another best epoch", () => ({ bestEpoch: 2 }), /best epoch is 2, and by its validations it is 3/],
    ["no best epoch", () => ({ bestEpoch: null }), /best epoch is null/],
    ["another mean loss", () => ({ loss: 2.6 }), /mean of its losses is 2\.5.*says 2\.6/],
    [
      "another validation loss than the log's",
      ({ validations: [a, b, c] }) => ({ validations: [a!, b!, { ...c!, loss: 0.5 }] }),
      /jsonl:8 is not .*no such validation/,
    ],
  ])("are refused with %s", async (_, change, message) => {
    await expect(check({ ...whole.result, ...change(whole.result) }, whole.log)).rejects.toThrow(message);
  });

  it.each<[string, (log: Line[]) => Line[], RegExp]>([
    ["empty", () => [], /has 0 validations|ends at step 0/],
    ["cut at its end", (log) => log.slice(0, -2), /has 2 validations, and result\.json 3/],
    ["without its first line", (log) => log.slice(1), /jsonl:3 is not .*step 6, and step 8 of 9/],
    ["without one of its steps", (log) => log.filter((line) => line["step"] !== 4), /step 6, and step 4 of 9 is due/],
    ["without validations", (log) => log.filter((line) => "loss" in line), /has 0 validations/],
    ["twice in one file", (log) => [...log, ...log], /step 2, and step 9/],
    ["backwards", (log) => log.toReversed(), /no such validation/],
    ["of other learning rates", (log) => log.map((line) => ({ ...line, learningRate: 7 })), /its learning rate is 7/],
    ["of parts of steps", (log) => log.map((line) => ({ ...line, step: line["step"]! - 0.5 })), /is of step 1\.5/],
    [
      "of other losses",
      (log) => log.map((line) => ("loss" in line ? { ...line, loss: 9 } : line)),
      /mean of its losses/,
    ],
  ])("are refused where the log is %s", async (_, change, message) => {
    await expect(check(whole.result, change(whole.log))).rejects.toThrow(message);
  });

  it("are refused without a log", async () => {
    rmSync(join(folder, "train-log.jsonl"));
    await expect(checkLog(folder, whole.result, configuration, ROWS)).rejects.toThrow(/train-log\.jsonl is missing/);
  });
});
