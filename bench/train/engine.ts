import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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

/** The rows of each step, in the order in which every side takes them. */
export function orderOf({ examples, batchSize, gradientAccumulationSteps, inOrder }: EngineWork): number[][] {
  const plan = { rows: examples.length, batchSize, gradientAccumulationSteps, epochs: 1, seed: 42 };
  const perStep = batchSize * gradientAccumulationSteps;
  return Array.from({ length: totalSteps(plan) }, (_, step) =>
    inOrder ? Array.from({ length: perStep }, (_, i) => step * perStep + i) : batchesOfStep(plan, step).flat(),
  );
}

/** Writes a bundle of an epoch of these rows; with adapters, `adapter-start` must be there. */
export async function writeBenchBundle(work: EngineWork): Promise<void> {
  const { folder, examples, batchSize } = work;
  const order = orderOf(work);
  const steps = order.length;
  mkdirSync(folder, { recursive: true });
  writeJsonLines(join(folder, "train.jsonl"), examples);
  writeJsonLines(join(folder, "validation.jsonl"), []);
  writeJsonLines(
    join(folder, "steps.jsonl"),
    order.map((rows, at) => ({ step: at + 1, learningRate: work.learningRate, rows })),
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
function runEngine(python: string, bundle: string, out: string, flags: readonly string[]): EngineRun {
  execFileSync(python, [join(bundle, "train.py"), "--out", out, "--processes", "1", ...flags], {
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

/** The published recipe's side: a script of bench/python, and the file that says what it is to do. */
export interface Published {
  readonly script: string;
  readonly work: string;
}

/** What such a script prints. */
interface PublishedRun {
  readonly stepSeconds: readonly number[];
  readonly peakBytes: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** The PyTorch engine beside the published recipe, on the same steps, process by process in turn; prints both. */
export async function benchBeside(
  about: { readonly model: string; readonly recipe: string; readonly layers: string },
  work: EngineWork,
  published: Published,
  { python, rounds, json, warmUp }: { python: string; rounds: number; json: boolean; warmUp: number },
  flags: readonly string[] = [],
): Promise<void> {
  await writeBenchBundle(work);
  const engine: EngineRun[] = [];
  const recipe: PublishedRun[] = [];
  for (let round = 0; round < rounds; round++) {
    engine.push(runEngine(python, work.folder, `${work.folder}-out-${round}`, flags));
    const script = fileURLToPath(new URL(`../python/${published.script}`, import.meta.url));
    const printed = execFileSync(python, [script, published.work], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    recipe.push(JSON.parse(printed.trim().split("\n").at(-1)!) as PublishedRun);
  }
  const counted = orderOf(work).slice(warmUp);
  const rows = counted.reduce((sum, step) => sum + step.length, 0);
  const pace = (runs: readonly { readonly stepSeconds: readonly number[] }[]): number[] =>
    runs.map(({ stepSeconds }) => rows / stepSeconds.slice(warmUp).reduce((sum, one) => sum + one, 0));
  const [ours, theirs] = [pace(engine), pace(recipe)];
  const mean = (paces: readonly number[]): number => paces.length / paces.reduce((sum, one) => sum + 1 / one, 0);
  const result = {
    ...about,
    device: engine[0]!.device,
    precision: engine[0]!.precision,
    countedSteps: counted.length * rounds,
    load: loadavg()[0]!,
    versions: engine[0]!.versions,
    publishedVersions: recipe[0]!.versions,
    rowsPerSecond: mean(ours),
    rowsPerSecondOfRounds: ours,
    publishedRowsPerSecond: mean(theirs),
    publishedRowsPerSecondOfRounds: theirs,
    times: mean(ours) / mean(theirs),
  };
  if (json) return console.log(JSON.stringify(result));
  for (const [name, value] of Object.entries(result))
    console.log(
      `${name.padEnd(32)} ` +
        (typeof value === "string"
          ? value
          : JSON.stringify(value, (_, one) => (typeof one === "number" ? Number(one.toFixed(3)) : one))),
    );
}
