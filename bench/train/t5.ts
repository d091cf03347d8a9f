/*
 * One run of training T5 in a process of its own: reads {"config", "examples", "batchSize"} from the file named, trains
 * with the product's own loop and prints one JSON object; with "profile" behind the file also where the time of loss
 * and gradients went. See bench/train.ts.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDevice } from "../../src/graph/index.js";
import { createT5, type Example, type T5Config, type TrainableModel } from "../../src/models/index.js";
import { memoryNeed, train } from "../../src/train/index.js";
import { profiled } from "./profile.js";
import { rawRate } from "./raw-rate.js";

export interface WorkOfRun {
  readonly config: T5Config;
  readonly examples: readonly Example[];
  readonly batchSize: number;
}

export interface StepMeasured {
  readonly seconds: number;
  /** Forward and backward; the rest is the norm, clipping and AdamW. */
  readonly gradientSeconds: number;
  /** Ids of the rows, to find their lengths. */
  readonly rows: readonly string[];
}

class Enough extends Error {}

const work = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as WorkOfRun;
const device = await openDevice("cpu");
const { dModel: width, dFf: feedForwardWidth } = work.config;
const before = await rawRate(device, 1024, width, feedForwardWidth);
const profile = process.argv[3] === "profile" ? profiled(device, "t5.training") : undefined;
const model = await createT5(device, work.config, 1);
const steps: StepMeasured[] = [];
let gradientSeconds = 0;
let rows: string[] = [];
const timed: TrainableModel = Object.assign(Object.create(model) as typeof model, {
  async lossAndGradients(...given: Parameters<TrainableModel["lossAndGradients"]>) {
    const start = performance.now();
    const found = await model.lossAndGradients(...given);
    gradientSeconds += (performance.now() - start) / 1000;
    rows.push(...given[0].map(({ id }) => id));
    return found;
  },
});
const folder = mkdtempSync(join(tmpdir(), "bench-train-"));
const total = Math.floor(work.examples.length / work.batchSize);
let last = performance.now();
try {
  await train(
    timed,
    { train: work.examples },
    {
      epochs: 1,
      batchSize: work.batchSize,
      gradientAccumulationSteps: 1,
      maxGradNorm: 1,
      seed: 42,
      dropout: true,
      learningRate: 2e-5,
      schedule: "linear",
      warmupRatio: 0,
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      weightDecay: 0.01,
      loggingSteps: 100,
      saveSteps: 1_000_000,
      checkpointFolder: folder,
      validateEachEpoch: false,
      loadBestModelAtEnd: false,
      earlyStoppingPatience: null,
      identity: "bench",
    },
    {
      onStep() {
        const now = performance.now();
        steps.push({ seconds: (now - last) / 1000, gradientSeconds, rows });
        gradientSeconds = 0;
        rows = [];
        last = now;
        // Before the last step's checkpoint, which is not measured.
        if (steps.length === total) throw new Enough();
      },
    },
  );
} catch (error) {
  if (!(error instanceof Enough)) throw error;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const peakBytes = process.resourceUsage().maxRSS * 1024;
const after = await rawRate(device, 1024, width, feedForwardWidth);
const needBytes = memoryNeed(model, work.batchSize, work.examples).total;
await model.dispose();
console.log(
  JSON.stringify({ steps, peakBytes, needBytes, rawGflops: Math.max(before, after), operations: profile?.shares() }),
);
