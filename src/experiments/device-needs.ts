import { UserError } from "../base/errors.js";
import { gigabytes, memoryFree } from "../base/memory.js";
import { type Adapter, type DeviceCounters, type DeviceName, type MetaMemory, openMetaDevice } from "../graph/index.js";
import { addLoraShape, architectureOf, type ConfigFile, type Example, type LanguageModel } from "../models/index.js";
import { memoryNeedOf, Stepping } from "../train/index.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";

/** What a model's configuration is read from. */
export type ModelConfig = Pick<ConfigFile, "path" | "json" | "modelType">;

/** How a device with memory of its own holds and trains a model: each costs memory and spares time, values are alike. */
export interface DevicePlan {
  /** Whether 4-bit weights are written out as float32 on the device. */
  readonly expanded: boolean;
  /** Whether the batches of a step go through the model together. */
  readonly mergeBatches: boolean;
}

/** Tokens of the longest row: what is read, and what has a label. */
export interface LongestRow {
  readonly input: number;
  readonly target: number;
}

/** What training needs of a device, and what a step does there. */
export interface DeviceNeed {
  readonly plan: DevicePlan;
  /** Bytes at the least: how a device rounds and keeps buffers comes on top. */
  readonly memory: number;
  readonly largest: MetaMemory["largest"];
  /** Of one optimizer step; undefined on the CPU, which sends and waits for nothing. */
  readonly step?: DeviceCounters;
}

export const SIMPLEST: DevicePlan = { expanded: false, mergeBatches: false };

/** Share of a device's free memory that is planned with: what it rounds and keeps is not known before. */
const PLANNED = 0.9;

/**
 * What a fine-tuning needs of a device, by building its graphs and counting: nothing is loaded or computed.
 * @throws {UserError} where the device does not reach a weight, or the configuration cannot be trained there
 */
export async function deviceNeed(
  configuration: FinetuneConfiguration,
  config: ModelConfig,
  name: DeviceName,
  longest: LongestRow,
  plan = SIMPLEST,
): Promise<DeviceNeed> {
  const { model: held, lora, training } = configuration;
  const device = openMetaDevice(name);
  const model: LanguageModel = await architectureOf(config).ofShape(config, device, {
    quantization: { kind: held.quantization, doubleQuantization: held.doubleQuantization },
    expanded: plan.expanded,
    frozen: lora !== null,
    dropout: training.dropout,
    torchDtype: held.torchDtype,
  });
  if (lora) {
    const { r: rank, alpha, dropout, targetModules: modules } = lora;
    await addLoraShape(model.weights, { rank, alpha, dropout, modules, base: held.source });
  }
  if (device.memory === "host") {
    const { total } = memoryNeedOf(model, training.batchSize, longest.input + longest.target);
    return { plan, memory: total, largest: { name: "", bytes: 0 } };
  }
  const stepping = new Stepping(
    model,
    model.parameters.filter(({ trained }) => trained),
    {
      betas: training.adamBetas,
      epsilon: training.adamEpsilon,
      weightDecay: training.weightDecay,
      maxGradNorm: training.maxGradNorm,
      seed: training.seed,
      dropout: training.dropout !== 0 || (lora !== null && lora.dropout > 0),
      mergeBatches: plan.mergeBatches,
      checkpointFolder: "",
    },
  );
  const batches = fullBatches(configuration, model.vocabularySize, longest);
  await stepping.take(0, batches, training.learningRate);
  const before = device.counters;
  await stepping.take(1, batches, training.learningRate);
  const step = difference(before, device.counters);
  await stepping.dispose();
  await model.dispose();
  return { plan, memory: device.memoryUse.peak, largest: device.memoryUse.largest, step };
}

/** A step's batches of rows that are as long as they may be, with as many different tokens. */
function fullBatches(
  { training: { batchSize, gradientAccumulationSteps } }: FinetuneConfiguration,
  vocabulary: number,
  { input, target }: LongestRow,
): Example[][] {
  const row = (at: number): Example => ({
    id: `row ${at}`,
    input: Array.from({ length: input }, (_, i) => (at * input + i) % vocabulary),
    target: Array.from({ length: target }, (_, i) => i % vocabulary),
  });
  return Array.from({ length: gradientAccumulationSteps }, (_, batch) =>
    Array.from({ length: batchSize }, (_, i) => row(batch * batchSize + i)),
  );
}

/** What was counted between two looks. */
export function difference(before: DeviceCounters, after: DeviceCounters): DeviceCounters {
  const entries = Object.entries(after) as [keyof DeviceCounters, number][];
  return Object.fromEntries(entries.map(([key, count]) => [key, count - before[key]])) as unknown as DeviceCounters;
}

/** Memory of a device that may be taken: of a card what is free, else all of it; undefined where nobody tells. */
export function memoryOf(adapter: Adapter | undefined): number | undefined {
  if (!adapter) return undefined;
  return adapter.software ? memoryFree() : (adapter.free ?? adapter.memory);
}

/** The memory that a run may take: what its configuration says, else what the system tells. */
export const plannedMemory = (
  { deviceMemory }: FinetuneConfiguration,
  adapter: Adapter | undefined,
): number | undefined => (deviceMemory === null ? memoryOf(adapter) : deviceMemory * 2 ** 30);

/** The plans that a configuration can have, those of the most memory first. */
function plansOf({ model, training }: FinetuneConfiguration): DevicePlan[] {
  const fourBit = model.quantization === "fp4" || model.quantization === "nf4";
  const either = (may: boolean): boolean[] => (may ? [true, false] : [false]);
  return either(fourBit).flatMap((expanded) =>
    either(training.gradientAccumulationSteps > 1).map((mergeBatches) => ({ expanded, mergeBatches })),
  );
}

/**
 * How a fine-tuning goes on a device with memory of its own: the roomiest plan that fits; where the memory is not told,
 * the one that needs least.
 * @param memory bytes that may be taken
 * @throws {UserError} where none fits, saying what would
 */
export async function planFor(
  configuration: FinetuneConfiguration,
  config: ModelConfig,
  name: DeviceName,
  longest: LongestRow,
  memory: number | undefined,
): Promise<DeviceNeed> {
  const need = (plan: DevicePlan, changed = configuration): Promise<DeviceNeed> =>
    deviceNeed(changed, config, name, longest, plan);
  if (memory === undefined) return need(SIMPLEST);
  const room = PLANNED * memory;
  let least: DeviceNeed | undefined;
  for (const plan of plansOf(configuration)) {
    least = await need(plan);
    if (least.memory <= room) return least;
  }
  const { batchSize, gradientAccumulationSteps: steps } = configuration.training;
  let hint = "";
  for (const smaller of [8, 4, 2, 1].filter((size) => size < batchSize)) {
    const accumulation = Math.ceil(batchSize / smaller) * steps;
    const training = { ...configuration.training, batchSize: smaller, gradientAccumulationSteps: accumulation };
    if ((await need(SIMPLEST, { ...configuration, training })).memory > room) continue;
    hint =
      `Batches of ${smaller} would fit: --set training.batchSize=${smaller} --set ` +
      `training.gradientAccumulationSteps=${accumulation}; the result is the same. `;
    break;
  }
  throw new UserError(
    `training needs at least ${gigabytes(least!.memory)} on ${name}, and ${gigabytes(room)} of its ` +
      `${gigabytes(memory)} are planned with`,
    { hint: `${hint ? `${hint}Or use` : "Use"} --device cpu; \`mmmlu devices\` tells what each experiment needs.` },
  );
}
