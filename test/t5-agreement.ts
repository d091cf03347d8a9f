/*
 * Holds our T5 against the golden files of reference/t5.py on a device, and tells each distance. As a program of its
 * own it prints them as JSON lines: WebGPU's environment variables must be there when a process starts.
 *
 *   node --import tsx test/t5-agreement.ts webgpu
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Device, type DeviceName, openDevice } from "../src/graph/index.js";
import { type Example, loadT5, readLoss, SafetensorsFile, type T5Model } from "../src/models/index.js";
import { T5Generation } from "../src/models/t5/generation.js";
import { type LoggedStep, train } from "../src/train/index.js";

/** How far ours is from the reference, relative to it. */
export interface Distance {
  readonly name: string;
  readonly distance: number;
}

interface Golden {
  readonly examples: readonly { readonly input: number[]; readonly target: number[] }[];
  readonly loss: number;
  readonly greedy?: readonly number[][];
}

interface GoldenRun {
  readonly settings: {
    num_train_epochs: number;
    per_device_train_batch_size: number;
    gradient_accumulation_steps: number;
    learning_rate: number;
    weight_decay: number;
    max_grad_norm: number;
    warmup_steps: number;
    seed: number;
  };
  readonly examples: Golden["examples"];
  readonly order: readonly number[][];
  readonly steps: readonly { loss: number; learningRate: number; gradientNorm: number }[];
}

export const golden = (...names: string[]): string =>
  join(fileURLToPath(new URL("../reference/golden/t5/", import.meta.url)), ...names);
const json = <T>(...names: string[]): T => JSON.parse(readFileSync(golden(...names), "utf8")) as T;
const examplesOf = (rows: Golden["examples"]): Example[] =>
  rows.map(({ input, target }, index) => ({ id: String(index), input, target }));

/** The distance of two arrays, relative to the second's norm. */
export function relativeDistance(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  if (ours.length !== theirs.length) return Infinity;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    difference += (ours[i]! - theirs[i]!) ** 2;
    norm += theirs[i]! ** 2;
  }
  return Math.sqrt(difference) / (Math.sqrt(norm) || 1);
}

/** Loss of a checkpoint stored in another way. */
export async function storedLoss(name: string, device: Device): Promise<Distance> {
  const { examples, loss } = json<Golden>(name === "sharded" ? "untied" : name, "golden.json");
  const model = await loadT5(golden(name), device);
  try {
    const summed = await model.loss(examplesOf(examples));
    return { name: `${name} loss`, distance: Math.abs(summed.lossSum / summed.tokens - loss) / loss };
  } finally {
    await model.dispose();
  }
}

/** Logits, loss, gradients and greedy replies of a checkpoint. */
export async function forwardAndBackward(name: "untied" | "tied", device: Device): Promise<Distance[]> {
  const { examples, loss, greedy } = json<Golden>(name, "golden.json");
  const stored = await SafetensorsFile.open(golden(name, "golden.safetensors"));
  const model = await loadT5(golden(name), device);
  try {
    const distances: Distance[] = [
      {
        name: `${name} logits`,
        distance: relativeDistance(await teacherForced(model, examples), await stored.readFloat32("logits")),
      },
    ];
    const gradients = new Map<string, Float32Array>();
    const summed = await readLoss(
      device,
      await model.lossAndGradients(examplesOf(examples), {
        scale: 1 / examples.reduce((sum, { target }) => sum + target.length, 0),
        receive: async (parameter, gradient) => {
          gradients.set(parameter.name, Float32Array.from((await device.read(gradient)) as Float32Array));
          model.recycle(parameter, gradient);
        },
      }),
    );
    distances.push({ name: `${name} loss`, distance: Math.abs(summed.lossSum / summed.tokens - loss) / loss });
    for (const { name: parameter } of model.parameters)
      distances.push({
        name: `${name} gradient ${parameter}`,
        distance: relativeDistance(gradients.get(parameter) ?? [], await stored.readFloat32(`gradient.${parameter}`)),
      });
    const replies = await model.generate(
      examples.map(({ input }) => input),
      { maximumNewTokens: 6 },
    );
    // transformers goes on with padding where a row has ended and others have not; ours leaves the end token out.
    const theirs = greedy!.map((reply) => reply.slice(0, reply.includes(1) ? reply.indexOf(1) : reply.length));
    distances.push({
      name: `${name} greedy`,
      distance: JSON.stringify(replies.map(({ tokens }) => tokens)) === JSON.stringify(theirs) ? 0 : 1,
    });
    return distances;
  } finally {
    await model.dispose();
    await stored.close();
  }
}

/** Logits at every target position, row after row. */
async function teacherForced(model: T5Model, examples: Golden["examples"]): Promise<Float32Array> {
  const generation = new T5Generation(model.weights, model.config, model.tied);
  const rows: number[] = [];
  for (const { input, target } of examples) {
    const batch = await generation.start([input]);
    let next = batch.first;
    rows.push(...(await next.values()));
    for (const token of target.slice(0, -1)) {
      next.dispose();
      next = await batch.next([token]);
      rows.push(...(await next.values()));
    }
    next.dispose();
    batch.dispose();
  }
  await generation.dispose();
  return Float32Array.from(rows);
}

/** One of the Trainer's runs: each step's loss, learning rate and gradient norm, and the final weights. */
export async function trainerRun(
  name: "run" | "run-accumulated",
  device: Device,
  steps = Infinity,
): Promise<Distance[]> {
  const { settings, examples, steps: theirs } = json<GoldenRun>(name, "golden.json");
  const model = await loadT5(golden("untied"), device);
  const folder = mkdtempSync(join(tmpdir(), "t5-run-"));
  const logged: LoggedStep[] = [];
  try {
    await train(
      model,
      { train: examplesOf(examples) },
      {
        epochs: settings.num_train_epochs,
        batchSize: settings.per_device_train_batch_size,
        gradientAccumulationSteps: settings.gradient_accumulation_steps,
        maxGradNorm: settings.max_grad_norm,
        seed: settings.seed,
        dropout: false,
        learningRate: settings.learning_rate,
        schedule: "linear",
        warmupRatio: settings.warmup_steps / theirs.length,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        weightDecay: settings.weight_decay,
        loggingSteps: 1,
        saveSteps: 1_000_000,
        checkpointFolder: folder,
        validateEachEpoch: false,
        loadBestModelAtEnd: false,
        earlyStoppingPatience: null,
        identity: "golden",
      },
      { onLog: (step) => void logged.push(step), shouldStop: () => logged.length >= steps },
    );
    const distances = logged.flatMap(({ loss, learningRate, gradientNorm }, index): Distance[] => {
      const reference = theirs[index]!;
      return [
        { name: `run loss ${index + 1}`, distance: Math.abs(loss - reference.loss) / reference.loss },
        { name: `run learning rate ${index + 1}`, distance: Math.abs(learningRate - reference.learningRate) },
        {
          name: `run gradient norm ${index + 1}`,
          distance: Math.abs(gradientNorm - reference.gradientNorm) / reference.gradientNorm,
        },
      ];
    });
    if (name === "run" || logged.length < theirs.length) return distances;
    const final = await SafetensorsFile.open(golden(name, "final.safetensors"));
    for (const { name, array } of model.parameters)
      distances.push({
        name: `run weights ${name}`,
        distance: relativeDistance((await device.read(array)) as Float32Array, await final.readFloat32(name)),
      });
    await final.close();
    return distances;
  } finally {
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const device = await openDevice(process.argv[2] as DeviceName);
  for (const distances of [
    await forwardAndBackward("untied", device),
    await forwardAndBackward("tied", device),
    await trainerRun("run-accumulated", device, 6),
  ])
    for (const one of distances) console.log(JSON.stringify(one));
  await device.close();
}
