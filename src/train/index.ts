export { type BatchPlan, batchesOfStep, rowOrder, stepsPerEpoch, totalSteps } from "./batches.js";
export { checkpointProgress, type Progress } from "./checkpoint.js";
export { meanLoss, train } from "./loop.js";
export { checkMemory, checkWeights, type MemoryNeed, memoryNeed, memoryNeedOf } from "./memory.js";
export type { LoggedStep, TrainingHooks, TrainingOptions, TrainingResult, Validation } from "./options.js";
export { learningRateAt, type ScheduleOptions, warmupSteps } from "./schedule.js";
export { type StepOptions, Stepping } from "./step.js";
export { readWeights } from "./tensor-files.js";
export { TorchGenerator } from "./torch-generator.js";
