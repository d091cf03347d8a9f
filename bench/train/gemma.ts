/* One run of QLoRA on Gemma 2 in a process of its own; prints one JSON object. See bench-gemma-2-2b.ts. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDevice } from "../../src/graph/index.js";
import { addLora, type Example, loadDecoder, weightStore } from "../../src/models/index.js";
import { train } from "../../src/train/index.js";
import type { GemmaRun } from "./bench-gemma-2-2b.js";
import { rawRate } from "./raw-rate.js";

const work = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as {
  folder: string;
  examples: Example[];
  batchSize: number;
  accumulation: number;
};
const device = await openDevice("cpu");
const before = performance.now();
const model = await loadDecoder(work.folder, device, { store: weightStore({ kind: "fp4" }, device) });
await addLora(
  model.weights,
  {
    rank: 32,
    alpha: 16,
    dropout: 0.05,
    base: work.folder,
    modules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
  },
  42,
);
const loadSeconds = (performance.now() - before) / 1000;
const stepSeconds: number[] = [];
const folder = mkdtempSync(join(tmpdir(), "bench-gemma-"));
class Enough extends Error {}
const steps = Math.floor(work.examples.length / (work.batchSize * work.accumulation));
let last = performance.now();
try {
  await train(
    model,
    { train: work.examples },
    {
      epochs: 1,
      batchSize: work.batchSize,
      gradientAccumulationSteps: work.accumulation,
      maxGradNorm: 1,
      seed: 42,
      dropout: true,
      learningRate: 1e-4,
      schedule: "cosine",
      warmupRatio: 0.05,
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      weightDecay: 0,
      loggingSteps: 25,
      saveSteps: 1_000_000,
      checkpointFolder: folder,
      validateEachEpoch: false,
      loadBestModelAtEnd: false,
      earlyStoppingPatience: null,
      identity: "bench",
    },
    {
      onStep: () => {
        stepSeconds.push((performance.now() - last) / 1000);
        last = performance.now();
        // Before the last step's checkpoint, which is not measured.
        if (stepSeconds.length === steps) throw new Enough();
      },
    },
  );
} catch (error) {
  if (!(error instanceof Enough)) throw error;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const peakBytes = process.resourceUsage().maxRSS * 1024;
const result: GemmaRun = {
  loadSeconds,
  stepSeconds,
  rows: work.examples.length,
  tokens: work.examples.reduce((sum, { input, target }) => sum + input.length + target.length, 0),
  peakBytes,
  rawGflops: await rawRate(device, 512, 2304, 9216),
};
console.log(JSON.stringify(result));
