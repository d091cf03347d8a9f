import { UserError } from "../base/errors.js";
import {
  AdamW,
  type AdamWOptions,
  clipCoefficient,
  type DeviceArray,
  type DeviceFailure,
  GradientNorm,
  GradientSums,
  Scalars,
  SumPrograms,
} from "../graph/index.js";
import { type Example, type GradientOptions, type Parameter, readLoss, type TrainableModel } from "../models/index.js";
import { keptStep } from "./checkpoint.js";
import type { TrainingOptions } from "./options.js";

/** What a step depends on. */
export type StepOptions = AdamWOptions &
  Pick<TrainingOptions, "maxGradNorm" | "seed" | "mergeBatches" | "dropout" | "checkpointFolder">;

/** Takes optimizer steps: gradients of a step's batches, their norm, clipping, AdamW. */
export class Stepping {
  readonly optimizer: AdamW<Parameter>;
  private readonly norm: GradientNorm;
  private readonly sums: SumPrograms;
  private readonly scalars: Scalars;

  /** @param trained the model's parameters that are trained */
  constructor(
    private readonly model: TrainableModel,
    trained: readonly Parameter[],
    private readonly options: StepOptions,
  ) {
    const { device } = model;
    this.optimizer = new AdamW(device, trained, options);
    this.norm = new GradientNorm(device);
    this.sums = new SumPrograms(device);
    this.scalars = new Scalars(device);
  }

  /**
   * One step, by its number from 0. On a device loss and norm are waited for together, once everything is on its way:
   * the step is taken before it shows that they are not finite.
   * @throws {UserError} where a loss or gradient is not finite, a gradient comes of a parameter that is not trained or
   * none of one that is
   */
  async take(
    step: number,
    batches: readonly (readonly Example[])[],
    learningRate: number,
  ): Promise<{ loss: number; gradientNorm: number }> {
    const { model, options, optimizer } = this;
    // The mean over all target tokens of the accumulated batch: averaging the batches' averages would weigh rows
    // unevenly.
    const tokens = batches.flat().reduce((sum, example) => sum + example.target.length, 0);
    const gradients = new GradientSums(this.sums);
    const known = new Set(optimizer.parameters);
    const host = model.device.memory === "host";
    const losses: DeviceArray[] = [];
    let lossSum = 0;
    for (const { rows, dropoutSeed } of passes(model, batches, step, options)) {
      const { loss } = await model.lossAndGradients(rows, {
        scale: 1 / tokens,
        dropoutSeed,
        receive: async (parameter: Parameter, gradient: DeviceArray) => {
          if (!known.has(parameter)) throw notTrained(parameter);
          if (await gradients.take(parameter.name, gradient)) model.recycle?.(parameter, gradient);
        },
      });
      await gradients.settle();
      if (host) {
        const { lossSum: own } = await readLoss(model.device, { loss, tokens });
        lossSum += own;
        if (!Number.isFinite(own)) throw await notFinite("the loss", own, step, rows, options);
      } else losses.push(loss);
    }
    checkComplete(optimizer, gradients.sums, step);
    const maximum = options.maxGradNorm;
    let gradientNorm: number;
    if (host) {
      gradientNorm = await this.norm.of(gradients.sums.values());
      await this.checkNorm(gradientNorm, step, batches);
      await optimizer.update(gradients.sums, learningRate, clipCoefficient(gradientNorm, maximum));
    } else {
      const squares = await this.norm.squaresOnDevice(gradients.sums.values());
      await optimizer.update(gradients.sums, learningRate, { squares, maximum });
      const read = await this.scalars.read([...losses, squares]);
      gradientNorm = Math.sqrt(read.pop()!);
      lossSum = read.reduce((sum, loss) => sum + loss, 0);
      if (!Number.isFinite(lossSum)) throw await notFinite("the loss", lossSum, step, batches.flat(), options);
      await this.checkNorm(gradientNorm, step, batches);
    }
    for (const parameter of optimizer.parameters) {
      const gradient = gradients.sums.get(parameter.name);
      if (gradient) model.recycle?.(parameter, gradient);
    }
    return { loss: lossSum / tokens, gradientNorm };
  }

  async dispose(): Promise<void> {
    for (const tool of [this.optimizer, this.norm, this.sums, this.scalars]) await tool.dispose();
  }

  private async checkNorm(norm: number, step: number, batches: readonly (readonly Example[])[]): Promise<void> {
    if (!Number.isFinite(norm)) throw await notFinite("the gradients' norm", norm, step, batches.flat(), this.options);
  }
}

/** The calls of a step: one for each batch, or one for all of them with each its own dropout. */
function passes(
  model: TrainableModel,
  batches: readonly (readonly Example[])[],
  step: number,
  options: StepOptions,
): { readonly rows: readonly Example[]; readonly dropoutSeed: GradientOptions["dropoutSeed"] }[] {
  const seeded = batches.map((rows, index) => ({ rows, seed: dropoutSeed(options.seed, step, index) }));
  if (options.mergeBatches && model.mergesBatches && batches.length > 1)
    return [
      {
        rows: batches.flat(),
        dropoutSeed: options.dropout ? seeded.map(({ rows, seed }) => ({ rows: rows.length, seed })) : undefined,
      },
    ];
  return seeded.map(({ rows, seed }) => ({ rows, dropoutSeed: options.dropout ? seed : undefined }));
}

function checkComplete(
  { parameters }: AdamW<Parameter>,
  gradients: ReadonlyMap<string, DeviceArray>,
  step: number,
): void {
  const without = parameters.filter(({ name }) => !gradients.has(name)).map(({ name }) => name);
  if (without.length > 0)
    throw new UserError(
      `no gradient of ${someOf(without)} came out of step ${step + 1}, though ` +
        `${without.length > 1 ? "they are" : "it is"} to be trained`,
      { hint: "The model leaves such parameters out of its loss: freeze them (trained: false), or mend the model." },
    );
}

/** A gradient that clipping would count and no step would take. */
function notTrained({ name, trained }: Parameter): UserError {
  return new UserError(
    `the model gave a gradient of ${name}, which ` +
      `${trained ? "was not among the parameters when training began" : "is not trained"}`,
    { hint: "Add adapters and freeze parameters before training, not while it goes on." },
  );
}

const someOf = (names: readonly string[]): string =>
  `${names.slice(0, 8).join(", ")}${names.length > 8 ? ` and ${names.length - 8} more` : ""}`;

export async function notFinite(
  what: string,
  value: number,
  step: number,
  rows: readonly Example[],
  { checkpointFolder }: Pick<TrainingOptions, "checkpointFolder">,
): Promise<UserError> {
  const ids = rows.map((row) => row.id);
  const kept = await keptStep(checkpointFolder);
  return new UserError(`${what} is ${value} in step ${step + 1}, rows ${someOf(ids)}`, {
    hint:
      `${kept > 0 ? `The checkpoint of step ${kept} is kept` : "No checkpoint was due yet"}. In another folder ` +
      `(--out) a lower training.learningRate or training.maxGradNorm, or more warm-up ` +
      `(training.warmupRatio), may help.`,
  });
}

/** Mixes seed, step and batch into 31 bits: each call of a run has masks of its own, the same ones in every run. */
export function dropoutSeed(seed: number, step: number, batch: number): number {
  let hash = 0x811c9dc5;
  for (const value of [seed, step, batch]) {
    hash = Math.imul(hash ^ value, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash ^= hash >>> 12;
  }
  return hash & 0x7fffffff;
}

/** Training that a device could not go on with: the checkpoint is what is left. */
export async function deviceFailed(
  failure: DeviceFailure,
  step: number,
  { checkpointFolder, batchSize, gradientAccumulationSteps }: TrainingOptions,
): Promise<UserError> {
  const kept = await keptStep(checkpointFolder);
  const left = kept > 0 ? `The checkpoint of step ${kept} is kept` : "No checkpoint was due yet";
  const smaller = Math.ceil(batchSize / 2);
  const accumulation = Math.ceil((batchSize * gradientAccumulationSteps) / smaller);
  const less =
    batchSize > 1
      ? ` In batches of ${smaller} it takes less: --set training.batchSize=${smaller} --set ` +
        `training.gradientAccumulationSteps=${accumulation}; the result is the same, in another folder (--out).`
      : "";
  return new UserError(`in step ${step + 1}: ${failure.message}`, {
    hint:
      failure.kind === "lost"
        ? `${left}: run the same command again, it goes on from there.`
        : `${left}: the same command goes on from there once there is more memory.${less}`,
    cause: failure,
  });
}
