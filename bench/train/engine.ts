import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { writeJsonLines } from "../../src/base/json-lines.js";
import type { Job } from "../../src/experiments/bundle/format.js";
import { sealBundle } from "../../src/experiments/bundle/write.js";
import { type Example, NOT_DECAYED } from "../../src/models/index.js";
import { batchesOfStep, totalSteps } from "../../src/train/index.js";

/** What of a bundle differs between benches. */
export interface EngineWork {
  readonly folder: string;
  readonly examples: readonly Example[];
  readonly kind: Job["kind"];
  readonly model: Partial<Job["model"]> & Pick<Job["model"], "source" | "modelType">;
  readonly lora: Job["lora"];
  readonly batchSize: number;
  readonly gradientAccumulationSteps: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Whether rows come in their order instead of an epoch's. */
  readonly inOrder?: boolean;
}

export interface EngineRun {
  readonly stepSeconds: readonly number[];
  readonly device: string;
  readonly precision: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Writes a bundle of an epoch of these rows; with adapters, `adapter-start` must be there. */
export async function writeBenchBundle(work: EngineWork): Promise<void> {
  const { folder, examples, batchSize, gradientAccumulationSteps } = work;
  const plan = { rows: examples.length, batchSize, gradientAccumulationSteps, epochs: 1, seed: 42 };
  const steps = totalSteps(plan);
  const perStep = batchSize * gradientAccumulationSteps;
  mkdirSync(folder, { recursive: true });
  writeJsonLines(join(folder, "train.jsonl"), examples);
  writeJsonLines(join(folder, "validation.jsonl"), []);
  writeJsonLines(
    join(folder, "steps.jsonl"),
    Array.from({ length: steps }, (_, step) => ({
      step: step + 1,
      learningRate: work.learningRate,
      rows: work.inOrder
        ? Array.from({ length: perStep }, (_, i) => step * perStep + i)
        : batchesOfStep(plan, step).flat(),
    })),
  );
  const job: Job = {
    format: 1,
    name: "bench",
    identity: "0".repeat(64),
    kind: work.kind,
    model: {
      inBundle: false,
      revision: null,
      files: {},
      torchDtype: "float32",
      quantization: "none",
      doubleQuantization: false,
      padTokenId: 0,
      startTokenId: work.kind === "seq2seq-lm" ? 0 : null,
      ...work.model,
    },
    lora: work.lora,
    training: {
      ...{ epochs: 1, steps, stepsPerEpoch: steps, batchSize, betas: [0.9, 0.999], epsilon: 1e-8 },
      ...{ weightDecay: work.weightDecay, notDecayed: NOT_DECAYED, maxGradNorm: 1, dropout: null, seed: 42 },
      ...{ loggingSteps: 1, saveSteps: 1_000_000, validateEachEpoch: false, keepBest: false },
      earlyStoppingPatience: null,
    },
    files: {},
  };
  writeFileSync(join(folder, "job.json"), JSON.stringify(job));
  await sealBundle(folder);
}

/** Trains the bundle with the PyTorch engine in one process, and tells how long each step took. */
export function runEngine(python: string, bundle: string, out: string): EngineRun {
  execFileSync(python, [join(bundle, "train.py"), "--out", out, "--processes", "1"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: process.env["OMP_NUM_THREADS"] ?? String(availableParallelism()) },
  });
  return runTimes(out);
}

/** What a run's folder tells of its steps. */
export function runTimes(out: string): EngineRun {
  const seconds = readFileSync(join(out, "train-log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { seconds: number }).seconds);
  const { device, precision, engine } = JSON.parse(readFileSync(join(out, "result.json"), "utf8")) as {
    device: string;
    precision: string;
    engine: Record<string, string>;
  };
  const { program: _program, ...versions } = engine;
  return { stepSeconds: seconds.map((until, i) => until - (seconds[i - 1] ?? 0)), device, precision, versions };
}

/** Prints what the PyTorch engine came to beside the published recipe. */
export function tellTorch(
  model: string,
  recipe: string,
  { device, precision, versions }: EngineRun,
  rowsPerSecond: number,
  published: number,
  publishedVersions: Readonly<Record<string, string>>,
  json: boolean,
): void {
  const result = {
    ...{ model, recipe, device, precision, versions, publishedVersions },
    ...{ rowsPerSecond, publishedRowsPerSecond: published, times: rowsPerSecond / published },
  };
  if (json) return console.log(JSON.stringify(result));
  for (const [name, value] of Object.entries(result))
    console.log(
      `${name.padEnd(24)} ` +
        `${typeof value === "number" ? value.toFixed(3) : typeof value === "string" ? value : JSON.stringify(value)}`,
    );
}
