import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";
import { UserError } from "../base/errors.js";
import type { Example, TrainableModel } from "../models/index.js";

/** Bytes that training needs, by what they are for. */
export interface MemoryNeed {
  readonly parameters: number;
  readonly gradients: number;
  readonly moments: number;
  readonly activations: number;
  readonly total: number;
  readonly trainedCount: number;
  readonly frozenCount: number;
}

/** What training a model with batches of so many rows needs at most. */
export function memoryNeed(model: TrainableModel, batchSize: number, examples: readonly Example[]): MemoryNeed {
  const sum = (trained: boolean, of: (parameter: TrainableModel["parameters"][number]) => number): number =>
    model.parameters.filter((parameter) => parameter.trained === trained).reduce((total, parameter) => total + of(parameter), 0);
  const trainedBytes = sum(true, ({ array }) => array.bytes);
  const parameters = trainedBytes + sum(false, ({ array }) => array.bytes) + model.stored.bytes;
  const activations = model.activationBytes(batchSize, longestOf(examples));
  return {
    parameters,
    gradients: trainedBytes,
    moments: 2 * trainedBytes,
    activations,
    total: parameters + 3 * trainedBytes + activations,
    trainedCount: sum(true, ({ array }) => array.size),
    frozenCount: sum(false, ({ array }) => array.size) + model.stored.count,
  };
}

const longestOf = (examples: readonly Example[]): number => examples.reduce((most, { input, target }) => Math.max(most, input.length + target.length), 0);

/**
 * Bytes of memory that this process may still take: what the system has, or the limits of its control groups (a container's,
 * a service's) leave. Files that the system keeps in memory count as free: it gives them up.
 * @param root where the system's files lie
 */
export function memoryFree(root = "/"): number {
  const text = (...names: string[]): string => {
    try {
      return readFileSync(join(root, ...names), "utf8");
    } catch {
      return "";
    }
  };
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(text("proc/meminfo"));
  let free = available ? Number(available[1]) * 1024 : freemem();
  const within = (limit: string, used: string, statistics: string, files: RegExp): void => {
    // The first version of control groups writes a number beyond all memory where the second writes `max`.
    if (limit.trim() === "" || used.trim() === "" || !Number.isFinite(Number(limit))) return;
    free = Math.min(free, Number(limit) - Number(used) + Number(files.exec(statistics)?.[1] ?? 0));
  };
  const groups = text("proc/self/cgroup");
  for (let group = /^0::(.*)$/m.exec(groups)?.[1] ?? "/"; ; group = join(group, "..")) {
    const folder = join("sys/fs/cgroup", group);
    within(text(folder, "memory.max"), text(folder, "memory.current"), text(folder, "memory.stat"), /^inactive_file (\d+)$/m);
    if (group === "/") break;
  }
  const first = "sys/fs/cgroup/memory";
  within(text(first, "memory.limit_in_bytes"), text(first, "memory.usage_in_bytes"), text(first, "memory.stat"), /^total_inactive_file (\d+)$/m);
  return Math.max(0, free);
}

export const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB`;

/**
 * Refuses to load weights that cannot fit, or whose training cannot.
 * @param elements of all weights
 * @param bytesEach that an element takes as it will be held
 * @param all whether all weights are trained: then there is a gradient and two moments beside each
 * @throws {UserError} saying what would fit
 */
export function checkWeights(source: string, elements: number, bytesEach: number, all: boolean, free: number): void {
  const weights = elements * bytesEach;
  const needed = all ? 4 * weights : weights;
  if (needed <= free) return;
  const what = all ? `training all its weights needs at least ${gigabytes(needed)} (weights, gradients and two moments)` : `its weights need ${gigabytes(needed)}`;
  throw new UserError(`${source} has ${elements.toLocaleString("en")} parameters: ${what}, and ${gigabytes(free)} is free`, {
    hint: all && weights <= 0.8 * free ? ADAPTERS : "Take a smaller model, or a machine with more memory.",
  });
}

const ADAPTERS = 'Training adapters alone would fit: --set \'lora={"rank":16,"alpha":32,"dropout":0.05,"modules":["all-linear"]}\'';

/**
 * Refuses what cannot fit, the parameters already being in memory.
 * @throws {UserError} saying what would fit
 */
export function checkMemory(model: TrainableModel, need: MemoryNeed, free: number, batchSize: number, examples: readonly Example[]): void {
  const longest = longestOf(examples);
  const more = (size: number): number => 3 * need.gradients + model.activationBytes(size, longest);
  if (more(batchSize) <= free) return;
  const smaller = [8, 4, 2, 1].find((size) => size < batchSize && more(size) <= free);
  const hint =
    smaller !== undefined
      ? `Batches of ${smaller} would fit: set training.batchSize=${smaller} and training.accumulation=${Math.ceil(batchSize / smaller)} times what it is now; the result is the same.`
      : `Even a batch of one does not fit. ${need.frozenCount === 0 && model.activationBytes(1, longest) - 2 * need.gradients <= free ? ADAPTERS : "Take a smaller model, or a machine with more memory."}`;
  throw new UserError(`training needs ${gigabytes(more(batchSize))} beyond the model's weights (gradients ${gigabytes(need.gradients)}, moments ${gigabytes(need.moments)}, activations ${gigabytes(need.activations)}), and ${gigabytes(free)} is free`, { hint });
}
