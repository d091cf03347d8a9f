import { UserError } from "../base/errors.js";
import { gigabytes } from "../base/memory.js";
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
export const memoryNeed = (model: TrainableModel, batchSize: number, examples: readonly Example[]): MemoryNeed =>
  memoryNeedOf(model, batchSize, longestOf(examples));

/** The same for rows of at most so many tokens. */
export function memoryNeedOf(model: TrainableModel, batchSize: number, longest: number): MemoryNeed {
  const sum = (trained: boolean, of: (parameter: TrainableModel["parameters"][number]) => number): number =>
    model.parameters
      .filter((parameter) => parameter.trained === trained)
      .reduce((total, parameter) => total + of(parameter), 0);
  const trainedBytes = sum(true, ({ array }) => array.bytes);
  const parameters = trainedBytes + sum(false, ({ array }) => array.bytes) + model.stored.bytes;
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

const longestOf = (examples: readonly Example[]): number =>
  examples.reduce((most, { input, target }) => Math.max(most, input.length + target.length), 0);

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
  const what = all
    ? `training all its weights needs at least ${gigabytes(needed)} (weights, gradients and two moments)`
    : `its weights need ${gigabytes(needed)}`;
  throw new UserError(
    `${source} has ${elements.toLocaleString("en")} parameters: ${what}, and ${gigabytes(free)} is free`,
    {
      hint: all && weights <= 0.8 * free ? ADAPTERS : "Take a smaller model, or a machine with more memory.",
    },
  );
}

const ADAPTERS =
  'Training adapters alone would fit: --set \'lora={"rank":16,"alpha":32,"dropout":0.05,"modules":["all-linear"]}\'';

/**
 * Refuses what cannot fit, the parameters already being in memory.
 * @throws {UserError} saying what would fit
 */
export function checkMemory(
  model: TrainableModel,
  need: MemoryNeed,
  free: number,
  batchSize: number,
  examples: readonly Example[],
): void {
  const longest = longestOf(examples);
  const more = (size: number): number => 3 * need.gradients + model.activationBytes(size, longest);
  if (more(batchSize) <= free) return;
  const smaller = [8, 4, 2, 1].find((size) => size < batchSize && more(size) <= free);
  const hint =
    smaller !== undefined
      ? `Batches of ${smaller} would fit: set training.batchSize=${smaller} and training.gradientAccumulationSteps=` +
        `${Math.ceil(batchSize / smaller)} times what it is now; the result is the same.`
      : `Even a batch of one does not fit. ` +
        `${
          need.frozenCount === 0 && model.activationBytes(1, longest) <= free
            ? ADAPTERS
            : "Take a smaller model, or a machine with " + "more memory."
        }`;
  throw new UserError(
    `training needs ${gigabytes(more(batchSize))} beyond the model's weights (gradients ` +
      `${gigabytes(need.gradients)}, moments ${gigabytes(need.moments)}, activations ` +
      `${gigabytes(need.activations)}), and ${gigabytes(free)} is free`,
    { hint },
  );
}
