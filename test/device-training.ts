/*
 * Lets a tiny model generate and trains it for ten steps, on the CPU and on a device, and prints as one JSON object
 * what a test holds: how far replies, losses, norms and weights are apart, stopped and resumed too; what the device's
 * counters say of a token and of a step, and what is told of them by shapes alone; and which operators the runtime left
 * to the CPU, by its own profile.
 *
 *   node --import tsx test/device-training.ts webgpu gemma2
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { difference } from "../src/experiments/device-needs.js";
import {
  type Device,
  type DeviceArray,
  type DeviceCounters,
  type DeviceName,
  openDevice,
  openMetaDevice,
} from "../src/graph/index.js";
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

/** Where nodes ran, by the runtime's profile. */
export interface Placement {
  /** Operators left to the CPU, but whole-number work on shapes. */
  readonly strays: readonly string[];
  /** Nodes that ran in all, by provider. */
  readonly nodes: Readonly<Record<string, number>>;
}

export interface DeviceGeneration extends Placement {
  /** Whether greedy replies are the CPU's. */
  readonly sameReplies: boolean;
  /** Largest distance of a log-probability of some tokens behind the prompts to the CPU's. */
  readonly logProbabilities: number;
  /** Of one token of each row. */
  readonly counted: DeviceCounters;
  /** The same by shapes alone. */
  readonly told: DeviceCounters;
  /** Of the log-probabilities. */
  readonly scored: DeviceCounters;
}

/** How far a frozen model is apart whose table lies on the device in stretches from one whose table lies there whole. */
export interface Stretched {
  readonly stretches: number;
  readonly loss: number;
  readonly gradients: number;
  readonly logits: number;
  readonly sameReplies: boolean;
}

export interface DeviceTraining extends Placement {
  /** Of subjects whose own runs have a whole table. */
  readonly stretched?: Stretched;
  readonly generation: DeviceGeneration;
  readonly runs: readonly DeviceRun[];
  /** Distance of weights to those of the CPU where the run was stopped after five steps and went on. */
  readonly resumed: number;
  /** Whether greedy replies are the CPU's after training. */
  readonly sameReplies: boolean;
}

const STEPS = 10;
const NEW_TOKENS = 4;
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
  /** Bytes of the largest array with which the table, frozen, lies in stretches. */
  readonly stretchedBy?: number;
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
    stretchedBy: 100_000,
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
  return { losses, weights, lastStep: lastOf(seen) };
}

/** What was counted between the last two looks. */
function lastOf(seen: readonly DeviceCounters[]): DeviceCounters {
  const [before, after] = seen.slice(-2) as [DeviceCounters, DeviceCounters];
  return difference(before, after);
}

/** Rows of several lengths. */
const prompts = examples.slice(0, 2).map(({ input }, row) => input.slice(row));

interface Generated {
  readonly replies: string;
  readonly logProbabilities: readonly number[];
  readonly counted: DeviceCounters;
  readonly scored: DeviceCounters;
}

async function generate(model: LanguageModel): Promise<Generated> {
  const seen: DeviceCounters[] = [];
  const onToken = (row: number): void => void (row === 0 && seen.push(model.device.counters));
  const replies = JSON.stringify(await model.generate(prompts, { maximumNewTokens: NEW_TOKENS, onToken }));
  const before = model.device.counters;
  const logProbabilities = (await model.letterLogProbabilities(prompts, [5, 6, 7, 8])).flat();
  return { replies, logProbabilities, counted: lastOf(seen), scored: difference(before, model.device.counters) };
}

/** Where the nodes of all programs ran, of devices that have been closed since the last look. */
function placement(folder: string): Placement {
  const profile: readonly ProfiledNode[] = readProfile(folder);
  const nodes: Record<string, number> = {};
  for (const { provider } of profile) nodes[provider] = (nodes[provider] ?? 0) + 1;
  return { strays: strays(profile), nodes };
}

const apart = (a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number =>
  Math.max(
    ...[...a].map(([name, values]) => Math.max(...values.map((value, i) => Math.abs(value - b.get(name)![i]!)))),
  );

/** What a frozen model with adapters computes whose device reaches arrays of so many bytes. */
async function frozen(name: DeviceName, base: string, bindingLimit?: number) {
  const device = await openDevice(name, { bindingLimit });
  const model = await loadDecoder(base, device, { frozen: true });
  await addLora(model.weights, { rank: 2, alpha: 4, dropout: 0, modules: ["q_proj", "up_proj"], base: "tiny" }, 1);
  const gradients = new Map<string, Float32Array>();
  const receive = async ({ name }: { name: string }, array: DeviceArray): Promise<void> =>
    void gradients.set(name, Float32Array.from((await device.read(array)) as Float32Array));
  const { loss } = await model.lossAndGradients(examples.slice(0, 4), { scale: 1, receive });
  const losses = new Map([["loss", Float32Array.from((await device.read(loss)) as Float32Array)]]);
  const logits = new Map<string, Float32Array>();
  await model.promptLogits(prompts[0]!, (place, values) => void logits.set(`${place}`, values.slice()));
  const { replies } = await generate(model);
  const { vocabSize, hiddenSize } = model.config;
  await model.dispose();
  await device.close();
  return { losses, gradients, logits, replies, tableBytes: 4 * vocabSize * hiddenSize };
}

async function stretched(name: DeviceName, { make, stretchedBy }: Subject): Promise<Stretched | undefined> {
  if (stretchedBy === undefined) return undefined;
  const cpu = await openDevice("cpu", { threads: 1 });
  const base = join(scratch, "base");
  await (await make(cpu, {})).save(base);
  await cpu.close();
  const [whole, parts] = [await frozen(name, base), await frozen(name, base, stretchedBy)];
  return {
    stretches: whole.tableBytes / stretchedBy,
    loss: apart(parts.losses, whole.losses),
    gradients: apart(parts.gradients, whole.gradients),
    logits: apart(parts.logits, whole.logits),
    sameReplies: parts.replies === whole.replies,
  };
}

async function main(name: DeviceName, subject: Subject): Promise<DeviceTraining> {
  const { runs, make, bindingLimit } = subject;
  const profiles = mkdtempSync(join(scratch, "profiles-"));
  let folders = 0;
  const folder = (): string => join(scratch, `checkpoints-${folders++}`);
  const cpu = await openDevice("cpu", { threads: 1 });
  const open = (): Promise<Device> => openDevice(name, { bindingLimit, profilePrefix: join(profiles, "profile") });
  const meta = openMetaDevice(name, { bindingLimit });
  const onCpu = await make(cpu, {});
  const expectedFirst = await generate(onCpu);
  const expected = await run(onCpu, {}, folder());
  const expectedReplies = (await generate(onCpu)).replies;
  await onCpu.dispose();
  const [choice] = Object.values(runs) as [Choice];
  const asked = await open();
  const untrained = await make(asked, choice);
  const first = await generate(untrained);
  await untrained.dispose();
  // Only then are all profiles written.
  await asked.close();
  const generation: DeviceGeneration = {
    ...placement(profiles),
    sameReplies: first.replies === expectedFirst.replies,
    logProbabilities: Math.max(
      ...first.logProbabilities.map((value, i) => Math.abs(value - expectedFirst.logProbabilities[i]!)),
    ),
    counted: first.counted,
    told: (await generate(await make(meta, choice))).counted,
    scored: first.scored,
  };
  const device = await open();
  const done: DeviceRun[] = [];
  let sameReplies = true;
  for (const [title, choice] of Object.entries(runs)) {
    const model = await make(device, choice);
    const found = await run(model, choice, folder());
    sameReplies &&= (await generate(model)).replies === expectedReplies;
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
  const checkpoints = folder();
  const stopped = await make(device, choice);
  await run(stopped, choice, checkpoints, STEPS / 2);
  await stopped.dispose();
  const second = await make(device, choice);
  const resumed = apart((await run(second, choice, checkpoints)).weights, expected.weights);
  await second.dispose();
  await device.close();
  await cpu.close();
  const trained = { runs: done, resumed, sameReplies, ...placement(profiles) };
  return { generation, ...trained, stretched: await stretched(name, subject) };
}

const [, , device, name] = process.argv;
try {
  if (name === "gemma2") {
    const cpu = await openDevice("cpu", { threads: 1 });
    const base = await createTinyDecoder(cpu, gemma2, small, 1);
    await base.save(join(scratch, "gemma2"));
    await base.dispose();
    await cpu.close();
  }
  console.log(JSON.stringify(await main(device as DeviceName, SUBJECTS[name!]!)));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
