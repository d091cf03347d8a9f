/*
 * Trains a tiny model for ten steps on the CPU and on a device, and prints as one JSON object what a test holds: how far
 * losses, norms and weights are apart, stopped and resumed too; what the device's counters say of a step, and what is
 * told of it by shapes alone; and which operators the runtime left to the CPU, by its own profile.
 *
 *   node --import tsx test/device-training.ts webgpu gemma2
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Device, type DeviceCounters, type DeviceName, openDevice, openMetaDevice } from "../src/graph/index.js";
import { type ProfiledNode, readProfile, strays } from "../src/graph/testing/profile.js";
import {
  addLora,
  createTinyDecoder,
  createTinyT5,
  type Example,
  gemma2,
  gemma3,
  type LanguageModel,
  loadDecoder,
  weightStore,
} from "../src/models/index.js";
import { train } from "../src/train/index.js";

/** What one run on the device, beside the CPU's, came to. */
export interface DeviceRun {
  readonly run: string;
  /** Largest distance of a step's loss or norm to the CPU's, over the larger of 1 and that. */
  readonly losses: number;
  /** Largest distance of a weight after ten steps. */
  readonly weights: number;
  /** Of the last step. */
  readonly counted: DeviceCounters;
  /** The same by shapes alone. */
  readonly told: DeviceCounters;
}

export interface DeviceTraining {
  readonly runs: readonly DeviceRun[];
  /** Distance of weights to those of the CPU where the run was stopped after five steps and went on. */
  readonly resumed: number;
  /** Whether greedy replies are the CPU's. */
  readonly sameReplies: boolean;
  /** Operators left to the CPU in training and generation, but whole-number work on shapes. */
  readonly strays: readonly string[];
  /** Nodes that ran in all, by provider. */
  readonly nodes: Readonly<Record<string, number>>;
}

const STEPS = 10;
const VOCABULARY = 1024;
const scratch = mkdtempSync(join(tmpdir(), "device-training-"));
/** Rows of like lengths in every step: sizes that come again need no new pipelines. */
const examples: Example[] = Array.from({ length: 4 * STEPS }, (_, row) => ({
  id: `row ${row}`,
  input: Array.from({ length: 6 }, (_, i) => 3 + ((7 * row + 5 * i) % 200)),
  target: [3 + (row % 4), 1],
}));

interface Choice {
  readonly expanded?: boolean;
  readonly mergeBatches?: boolean;
}

interface Subject {
  readonly runs: Readonly<Record<string, Choice>>;
  /** Bytes of the largest array that the device is said to reach. */
  readonly bindingLimit?: number;
  make(device: Device, choice: Choice): Promise<LanguageModel>;
}

const small = { vocabSize: VOCABULARY, hiddenSize: 64, intermediateSize: 64, numHiddenLayers: 2 } as const;

const SUBJECTS: Readonly<Record<string, Subject>> = {
  t5: {
    runs: { "all weights": {} },
    make: (device) =>
      createTinyT5(device, { vocabSize: VOCABULARY, dModel: 32, dFf: 32, numLayers: 1, numDecoderLayers: 1 }, 1),
  },
  // Its table is over the limit and lies in three stretches.
  gemma2: {
    runs: { "fp4 with LoRA": {}, "fp4 with LoRA, expanded, batches merged": { expanded: true, mergeBatches: true } },
    bindingLimit: 100_000,
    async make(device, { expanded }) {
      const folder = join(scratch, "gemma2");
      const store = weightStore({ kind: "fp4" }, device, { expanded });
      const model = await loadDecoder(folder, device, { store });
      const lora = { rank: 2, alpha: 4, dropout: 0.1, modules: ["q_proj", "v_proj", "up_proj"], base: "tiny" };
      await addLora(model.weights, lora, 1);
      return model;
    },
  },
  gemma3: {
    runs: { "all weights": {} },
    make: (device) =>
      createTinyDecoder(
        device,
        gemma3,
        { ...small, layerTypes: ["sliding_attention", "full_attention"], slidingWindow: 4 },
        1,
      ),
  },
};

interface Trained {
  readonly losses: readonly number[];
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly lastStep: DeviceCounters;
}

async function run(model: LanguageModel, choice: Choice, folder: string, stopAt = STEPS): Promise<Trained> {
  const losses: number[] = [];
  const seen: DeviceCounters[] = [];
  await train(
    model,
    { train: examples },
    {
      epochs: 1,
      batchSize: 2,
      gradientAccumulationSteps: 2,
      mergeBatches: choice.mergeBatches,
      maxGradNorm: 1,
      seed: 1,
      dropout: true,
      learningRate: 1e-3,
      schedule: "linear",
      warmupRatio: 0,
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      weightDecay: 0.01,
      loggingSteps: 1,
      saveSteps: 1_000_000,
      checkpointFolder: folder,
      validateEachEpoch: false,
      loadBestModelAtEnd: false,
      earlyStoppingPatience: null,
      identity: "tiny",
    },
    {
      onStep: () => void seen.push(model.device.counters),
      onLog: ({ loss, gradientNorm }) => void losses.push(loss, gradientNorm),
      shouldStop: () => seen.length >= stopAt,
    },
  );
  const weights = new Map<string, Float32Array>();
  for (const { name, array, trained } of model.parameters)
    if (trained) weights.set(name, Float32Array.from((await model.device.read(array)) as Float32Array));
  const [before, after] = seen.slice(-2) as [DeviceCounters, DeviceCounters];
  const counted = Object.entries(after) as [keyof DeviceCounters, number][];
  const lastStep = Object.fromEntries(counted.map(([key, count]) => [key, count - before[key]]));
  return { losses, weights, lastStep: lastStep as unknown as DeviceCounters };
}

const replies = (model: LanguageModel): Promise<unknown> =>
  model.generate(
    examples.slice(0, 2).map(({ input }, row) => input.slice(row)),
    { maximumNewTokens: 3 },
  );

const apart = (a: Trained["weights"], b: Trained["weights"]): number =>
  Math.max(
    ...[...a].map(([name, values]) => Math.max(...values.map((value, i) => Math.abs(value - b.get(name)![i]!)))),
  );

async function main(name: DeviceName, { runs, make, bindingLimit }: Subject): Promise<DeviceTraining> {
  const profiles = mkdtempSync(join(scratch, "profiles-"));
  let folders = 0;
  const folder = (): string => join(scratch, `checkpoints-${folders++}`);
  const cpu = await openDevice("cpu", { threads: 1 });
  const device = await openDevice(name, { bindingLimit, profilePrefix: join(profiles, "profile") });
  const meta = openMetaDevice(name, { bindingLimit });
  const onCpu = await make(cpu, {});
  const expected = await run(onCpu, {}, folder());
  const expectedReplies = JSON.stringify(await replies(onCpu));
  await onCpu.dispose();
  const done: DeviceRun[] = [];
  let sameReplies = true;
  for (const [title, choice] of Object.entries(runs)) {
    const model = await make(device, choice);
    const found = await run(model, choice, folder());
    sameReplies &&= JSON.stringify(await replies(model)) === expectedReplies;
    await model.dispose();
    const told = await run(await make(meta, choice), choice, folder());
    done.push({
      run: title,
      losses: Math.max(
        ...found.losses.map((loss, i) => Math.abs(loss - expected.losses[i]!) / Math.max(1, expected.losses[i]!)),
      ),
      weights: apart(found.weights, expected.weights),
      counted: found.lastStep,
      told: told.lastStep,
    });
  }
  const [choice] = Object.values(runs) as [Choice];
  const checkpoints = folder();
  const first = await make(device, choice);
  await run(first, choice, checkpoints, STEPS / 2);
  await first.dispose();
  const second = await make(device, choice);
  const resumed = apart((await run(second, choice, checkpoints)).weights, expected.weights);
  await second.dispose();
  await device.close();
  await cpu.close();
  const profile: readonly ProfiledNode[] = readProfile(profiles);
  const nodes: Record<string, number> = {};
  for (const { provider } of profile) nodes[provider] = (nodes[provider] ?? 0) + 1;
  return { runs: done, resumed, sameReplies, strays: strays(profile), nodes };
}

const [, , device, name] = process.argv;
const subject = SUBJECTS[name!]!;
try {
  if (name === "gemma2") {
    const cpu = await openDevice("cpu", { threads: 1 });
    const base = await createTinyDecoder(cpu, gemma2, small, 1);
    await base.save(join(scratch, "gemma2"));
    await base.dispose();
    await cpu.close();
  }
  console.log(JSON.stringify(await main(device as DeviceName, subject)));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
