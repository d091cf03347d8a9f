/**
 * Training: batches in the order of torch's sampler, schedules, the loop, checkpoints, what memory is needed.
 *
 * ```ts
 * import { batchesOfStep, learningRateAt, totalSteps } from "mmmlu-lab/train";
 *
 * const plan = { rows: 100, batchSize: 8, gradientAccumulationSteps: 2, epochs: 1, seed: 42 };
 * const steps = totalSteps(plan);
 * console.log(steps, batchesOfStep(plan, 0));
 * const schedule = { schedule: "linear", learningRate: 2e-5, totalSteps: steps, warmupRatio: 0.05 } as const;
 * console.log(learningRateAt(schedule, 0), learningRateAt(schedule, steps - 1));
 * ```
 *
 * @module
 */

export { type BatchPlan, batchesOfStep, rowOrder, stepsPerEpoch, totalSteps } from "./batches.js";
export { type CheckpointOwner, checkpointProgress, type Progress, refuseForeignCheckpoint } from "./checkpoint.js";
export { hashOfExamples, type TrainingExamples } from "./hash-of-examples.js";
export { meanLoss, train } from "./loop.js";
export { checkMemory, checkWeights, type MemoryNeed, memoryNeed, memoryNeedOf } from "./memory.js";
export type { LoggedStep, TrainingHooks, TrainingOptions, TrainingResult, Validation } from "./options.js";
export { learningRateAt, type ScheduleOptions, warmupSteps } from "./schedule.js";
export { type StepOptions, Stepping } from "./step.js";
export { readWeights } from "./tensor-files.js";
export { TorchGenerator } from "./torch-generator.js";
