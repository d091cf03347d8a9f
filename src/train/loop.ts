import { UserError } from "../base/errors.js";
import { DeviceFailure } from "../graph/index.js";
import type { Example, Parameter, SummedLoss, TrainableModel } from "../models/index.js";
import { type BatchPlan, batchesOfStep, stepsPerEpoch, totalSteps } from "./batches.js";
import { loadBest, type Progress, resumeFrom, saveBest, saveCheckpoint } from "./checkpoint.js";
import { hashOfExamples, type TrainingExamples } from "./hash-of-examples.js";
import type { LoggedStep, TrainingHooks, TrainingOptions, TrainingResult, Validation } from "./options.js";
import { learningRateAt } from "./schedule.js";
import { deviceFailed, notFinite, Stepping } from "./step.js";

const START: Progress = {
  step: 0,
  lossSum: 0,
  rows: 0,
  seconds: 0,
  sinceLog: { lossSum: 0, steps: 0 },
  validations: [],
  bestEpoch: null,
  bestSha256: null,
};

/**
 * Trains a model, going on from the last checkpoint where there is one: the final weights are bit for bit those of a
 * run that never stopped. What a step does depends only on its number, the weights and the moments.
 * @throws {UserError} where a loss or gradient is not finite (naming step and rows; the last checkpoint stays), a
 * gradient comes of a parameter that is not trained or none of one that is, or a checkpoint cannot be written or read
 */
export async function train(
  model: TrainableModel,
  examples: TrainingExamples,
  options: TrainingOptions,
  hooks: TrainingHooks = {},
): Promise<TrainingResult> {
  const plan: BatchPlan = {
    rows: examples.train.length,
    batchSize: options.batchSize,
    gradientAccumulationSteps: options.gradientAccumulationSteps,
    epochs: options.epochs,
    maxSteps: options.maxSteps,
    seed: options.seed,
  };
  if (plan.rows === 0)
    throw new UserError("there is no row to train on", { hint: "Take more rows, or a wider length filter." });
  if (options.validateEachEpoch && !examples.validation?.length)
    throw new UserError("training.validateEachEpoch needs validation rows, and the split has none", {
      hint: "Set training.validateEachEpoch=false, or take more rows.",
    });
  const trained = model.parameters.filter((parameter) => parameter.trained);
  if (trained.length === 0)
    throw new UserError("the model has no parameter to train", {
      hint: "Add adapters (addLora), or load with frozen: false.",
    });
  const stepping = new Stepping(model, trained, options);
  const { optimizer } = stepping;
  const owner = { identity: options.identity, examples: hashOfExamples(examples) };
  const total = totalSteps(plan);
  const perEpoch = stepsPerEpoch(plan);
  let progress = START;
  let [began, resumedAt, savedAt] = [0, 0, 0];
  const secondsSoFar = (): number => (performance.now() - began) / 1000;
  const checkpoint = async (): Promise<void> => {
    progress = { ...progress, seconds: secondsSoFar() };
    await saveCheckpoint(options.checkpointFolder, owner, progress, trained, optimizer);
    savedAt = progress.step;
  };
  // An epoch that `maxSteps` cuts short ends there.
  const epochsEnded = (): number =>
    progress.step < total ? Math.floor(progress.step / perEpoch) : Math.ceil(total / perEpoch);
  const owesValidation = (): boolean => options.validateEachEpoch && progress.validations.length < epochsEnded();
  let stopped = false;
  let failed = false;
  try {
    progress = (await resumeFrom(options.checkpointFolder, owner, trained, optimizer, hooks.onNotice)) ?? START;
    resumedAt = savedAt = progress.step;
    began = performance.now() - progress.seconds * 1000;
    if (progress.step < total && !isOutOfPatience(progress, options))
      hooks.onBegin?.({ step: progress.step, totalSteps: total });
    while ((progress.step < total || owesValidation()) && !isOutOfPatience(progress, options)) {
      if (hooks.shouldStop?.()) {
        stopped = true;
        if (progress.step > savedAt) await checkpoint();
        break;
      }
      if (owesValidation()) {
        const validated = await validate(
          model,
          trained,
          examples.validation as readonly Example[],
          progress,
          options,
          hooks,
        );
        if (!validated) continue;
        progress = validated;
        await checkpoint();
        continue;
      }
      const { step } = progress;
      const batches = batchesOfStep(plan, step).map((rows) => rows.map((row) => examples.train[row] as Example));
      const learningRate = learningRateAt({ ...options, totalSteps: total }, step);
      const { loss, gradientNorm } = await stepping.take(step, batches, learningRate);
      const rows = progress.rows + batches.reduce((sum, batch) => sum + batch.length, 0);
      const since = { lossSum: progress.sinceLog.lossSum + loss, steps: progress.sinceLog.steps + 1 };
      const seconds = secondsSoFar();
      const logged: LoggedStep = {
        step: step + 1,
        epoch: (step + 1) / perEpoch,
        loss: since.lossSum / since.steps,
        learningRate,
        gradientNorm,
        rowsPerSecond: rows / Math.max(seconds, 1e-9),
        seconds,
      };
      const isLogged = (step + 1) % options.loggingSteps === 0 || step + 1 === total;
      progress = {
        ...progress,
        step: step + 1,
        lossSum: progress.lossSum + loss,
        rows,
        sinceLog: isLogged ? START.sinceLog : since,
      };
      hooks.onStep?.({ ...logged, totalSteps: total, secondsLeft: ((total - step - 1) * seconds) / (step + 1) });
      if (isLogged) hooks.onLog?.(logged);
      // Before a validation too, which may take long: a run that dies in it need not take the steps again.
      if ((step + 1) % options.saveSteps === 0 || step + 1 === total || owesValidation()) await checkpoint();
      // Signals and timers get their turn: a run on the CPU blocks the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!stopped && options.loadBestModelAtEnd && progress.bestEpoch !== null)
      await loadBest(options.checkpointFolder, model.device, trained, progress);
  } catch (error) {
    failed = error instanceof DeviceFailure;
    throw error instanceof DeviceFailure ? await deviceFailed(error, progress.step, options) : error;
  } finally {
    // A device that failed may fail at that too, and why it failed is what matters.
    await stepping.dispose().catch((error: unknown) => {
      if (!failed) throw error;
    });
  }
  const seconds = progress.seconds || secondsSoFar();
  return {
    steps: progress.step,
    rows: progress.rows,
    loss: progress.step ? progress.lossSum / progress.step : Number.NaN,
    seconds,
    rowsPerSecond: progress.rows / Math.max(seconds, 1e-9),
    validations: progress.validations.map((one) => ({ ...one, perplexity: Math.exp(one.loss) })),
    bestEpoch: progress.bestEpoch,
    stopped,
    resumedAt,
  };
}

/** The progress with one more epoch validated; undefined where it was asked to stop before the last row. */
async function validate(
  model: TrainableModel,
  trained: readonly Parameter[],
  rows: readonly Example[],
  progress: Progress,
  options: TrainingOptions,
  hooks: TrainingHooks,
): Promise<Progress | undefined> {
  const epoch = progress.validations.length + 1;
  const summed = await summedLoss(model, rows, options.batchSize, hooks.shouldStop);
  if (!summed) return undefined;
  const loss = summed.lossSum / summed.tokens;
  if (!Number.isFinite(loss)) throw await notFinite("the validation loss", loss, progress.step - 1, rows, options);
  const validation: Validation = { epoch, step: progress.step, loss, perplexity: Math.exp(loss) };
  hooks.onValidation?.(validation);
  const lowest = Math.min(Number.POSITIVE_INFINITY, ...progress.validations.map((one) => one.loss));
  const isBest = loss < lowest;
  const keeps = isBest && options.loadBestModelAtEnd;
  const bestSha256 = keeps ? await saveBest(options.checkpointFolder, model.device, trained) : progress.bestSha256;
  return {
    ...progress,
    validations: [...progress.validations, { epoch, step: progress.step, loss }],
    bestEpoch: isBest ? epoch : progress.bestEpoch,
    bestSha256,
  };
}

function isOutOfPatience(progress: Progress, options: TrainingOptions): boolean {
  if (options.earlyStoppingPatience === null || progress.bestEpoch === null) return false;
  return progress.validations.length - progress.bestEpoch >= options.earlyStoppingPatience;
}

/**
 * The mean loss over the target tokens of many examples, in batches of like length (the mean does not depend on them).
 */
export async function meanLoss(
  model: TrainableModel,
  examples: readonly Example[],
  batchSize: number,
): Promise<number> {
  const { lossSum, tokens } = (await summedLoss(model, examples, batchSize))!;
  return lossSum / tokens;
}

/** Undefined where it was asked to stop. */
async function summedLoss(
  model: TrainableModel,
  examples: readonly Example[],
  batchSize: number,
  shouldStop?: () => boolean,
): Promise<SummedLoss | undefined> {
  const order = [...examples].sort((a, b) => a.input.length - b.input.length);
  let [lossSum, tokens] = [0, 0];
  for (let start = 0; start < order.length; start += batchSize) {
    const summed = await model.loss(order.slice(start, start + batchSize));
    lossSum += summed.lossSum;
    tokens += summed.tokens;
    await new Promise((resolve) => setImmediate(resolve));
    if (shouldStop?.()) return undefined;
  }
  return { lossSum, tokens };
}
