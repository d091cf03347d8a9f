import { readFileSync } from "node:fs";
import { freemem } from "node:os";
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
  const longest = examples.reduce((most, example) => Math.max(most, example.input.length + example.target.length), 0);
  const activations = model.activationBytes(batchSize, longest);
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

/** Bytes of memory that this process may still take: what the system has, or its container's limit leaves. */
export function memoryFree(): number {
  const number = (path: string): number => {
    try {
      return Number(readFileSync(path, "utf8").trim());
    } catch {
      return Number.NaN;
    }
  };
  let free = freemem();
  try {
    const available = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"));
    if (available) free = Number(available[1]) * 1024;
  } catch {
    // Not Linux: what the system calls free must do.
  }
  const limit = number("/sys/fs/cgroup/memory.max");
  const used = number("/sys/fs/cgroup/memory.current");
  return Number.isFinite(limit) && Number.isFinite(used) ? Math.min(free, limit - used) : free;
}

export const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB`;

/**
 * Refuses what cannot fit, the parameters already being in memory.
 * @throws {UserError} saying what would fit
 */
export function checkMemory(model: TrainableModel, need: MemoryNeed, free: number, batchSize: number, examples: readonly Example[]): void {
  const more = (size: number): number => 3 * need.gradients + model.activationBytes(size, Math.max(0, ...examples.slice(0, 100_000).map((example) => example.input.length + example.target.length)));
  if (more(batchSize) <= free) return;
  const smaller = [8, 4, 2, 1].find((size) => size < batchSize && more(size) <= free);
  const hint =
    smaller !== undefined
      ? `Batches of ${smaller} would fit: set training.batchSize=${smaller} and training.accumulation=${Math.ceil(batchSize / smaller)} times what it is now; the result is the same.`
      : "Even a batch of one does not fit: train adapters instead of all weights (--set lora.rank=16 …), or use a smaller model.";
  throw new UserError(`training needs ${gigabytes(more(batchSize))} beyond the model's weights (gradients ${gigabytes(need.gradients)}, moments ${gigabytes(need.moments)}, activations ${gigabytes(need.activations)}), and ${gigabytes(free)} is free`, { hint });
}
