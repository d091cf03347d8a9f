import { UserError } from "../base/errors.js";
import { gigabytes, memoryFree } from "../base/memory.js";
import { adapterOf, type Device, DeviceFailure } from "../graph/index.js";
import { type Example, openConfig, weightStore } from "../models/index.js";
import { checkMemory, memoryNeed } from "../train/index.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { type DeviceNeed, type LongestRow, planFor, plannedMemory } from "./device-needs.js";
import type { ExperimentModel } from "./model.js";

const GIBIBYTE = 2 ** 30;

/** The longest of rows. */
export const longestOf = (rows: readonly Example[]): LongestRow => ({
  input: rows.reduce((most, { input }) => Math.max(most, input.length), 1),
  target: rows.reduce((most, { target }) => Math.max(most, target.length), 1),
});

/**
 * What a real model needs of a device with memory of its own, which is known before its weights are fetched; undefined
 * on the CPU, and for a model that is not trained here.
 * @throws {UserError} where it does not fit, saying what would
 */
export async function needOn(
  device: Device,
  configuration: FinetuneConfiguration,
  { offline, progress, signal }: RunContext,
  longest: LongestRow | undefined,
): Promise<DeviceNeed | undefined> {
  if (device.memory === "host" || !longest) return undefined;
  const { source, revision, quantization, doubleQuantization } = configuration.model;
  weightStore({ kind: quantization, doubleQuantization }, device);
  const config = await openConfig(source, { revision, offline, progress, signal });
  const adapter = await adapterOf(device.name);
  return planFor(configuration, config, device.name, longest, plannedMemory(configuration, adapter));
}

/**
 * Says what is trained and what memory that needs.
 * @throws {UserError} where it cannot fit in the machine's memory, saying what would
 */
export function tellMemory(
  { model, device, need }: ExperimentModel,
  { training: { batchSize }, model: { quantization } }: FinetuneConfiguration,
  rows: readonly Example[],
  { progress }: RunContext,
): void {
  const host = memoryNeed(model, batchSize, rows);
  const [trained, frozen] = [host.trainedCount, host.frozenCount].map((count) => count.toLocaleString("en"));
  const counts = `${trained} parameters trained, ${frozen} frozen; `;
  if (device.memory === "host") {
    const free = gigabytes(memoryFree() + host.parameters);
    progress.say(`${counts}memory needed ${gigabytes(host.total)} of ${free} free; ${device.describe()}`);
    checkMemory(model, host, memoryFree(), batchSize, rows);
    return;
  }
  if (!need) {
    progress.say(`${counts}${device.describe()}`);
    return;
  }
  const { expanded, mergeBatches } = need.plan;
  const held =
    quantization === "none" ? "" : expanded ? `${quantization} weights expanded once, ` : `${quantization} weights, `;
  const together = mergeBatches ? "a step's batches together" : `batches of ${batchSize}`;
  progress.say(`${counts}${held}${together}: at least ${gigabytes(need.memory)} of the device; ${device.describe()}`);
}

/**
 * The error of a run that its device could not go on with: what is kept, and what would fit where it had no memory
 * left; any other as it is.
 * @param need what was planned, where it was
 */
export async function withWhatFits(
  error: unknown,
  need: DeviceNeed | undefined,
  configuration: FinetuneConfiguration,
  context: RunContext,
  longest: LongestRow,
): Promise<unknown> {
  const inTraining = error instanceof UserError && error.cause instanceof DeviceFailure;
  const failure = inTraining ? (error.cause as DeviceFailure) : error;
  if (!(failure instanceof DeviceFailure)) return error;
  const { message, hint } = inTraining ? error : kept(failure, configuration);
  const more = failure.kind === "memory" ? await whatFits(need, configuration, context, longest) : undefined;
  return new UserError(message, { hint: [hint, more].filter(Boolean).join(" "), cause: failure });
}

/** A failure outside of training, which knows better. */
function kept(
  { message, kind }: DeviceFailure,
  { evaluation: { batchSize } }: FinetuneConfiguration,
): { message: string; hint: string } {
  const smaller = Math.ceil(batchSize / 2);
  return {
    message,
    hint:
      kind === "lost"
        ? "Replies and checkpoints are kept: run the same command again, it goes on from there."
        : "Replies and checkpoints are kept: the same command goes on from there once there is more memory." +
          (batchSize > 1
            ? ` Asking takes less with --set evaluation.batchSize=${smaller}, in another folder (--out).`
            : ""),
  };
}

/** How training would be planned with less memory than it was, or what to do where it cannot be. */
async function whatFits(
  need: DeviceNeed | undefined,
  configuration: FinetuneConfiguration,
  { offline, progress, signal }: RunContext,
  longest: LongestRow,
): Promise<string | undefined> {
  if (!need || configuration.device === "auto") return undefined;
  const { source, revision } = configuration.model;
  try {
    const config = await openConfig(source, { revision, offline, progress, signal });
    const less = await planFor(configuration, config, configuration.device, longest, need.memory);
    const planned = Math.floor((10 * need.memory) / GIBIBYTE) / 10;
    return (
      `With --set deviceMemory=${planned} it is planned to take ${gigabytes(less.memory)} instead of ` +
      `${gigabytes(need.memory)}.`
    );
  } catch (problem) {
    return problem instanceof UserError ? problem.hint : undefined;
  }
}
