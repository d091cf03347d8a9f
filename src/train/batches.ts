import { TorchGenerator } from "./torch-generator.js";

/** What decides which rows a step sees. */
export interface BatchPlan {
  readonly rows: number;
  readonly batchSize: number;
  /** Batches whose gradients make one optimizer step. */
  readonly gradientAccumulationSteps: number;
  readonly epochs: number;
  /** Ends training after so many steps at most; null or undefined for all of the epochs. */
  readonly maxSteps?: number | null;
  readonly seed: number;
}

/** The order of an epoch's rows: the Trainer's, whose sampler is `torch.randperm` seeded with seed + epoch (from 0). */
export const rowOrder = (rows: number, seed: number, epoch: number): Int32Array =>
  new TorchGenerator(seed + epoch).randperm(rows);

export const batchesPerEpoch = (plan: Pick<BatchPlan, "rows" | "batchSize">): number =>
  Math.ceil(plan.rows / plan.batchSize);

/** An epoch whose batches do not fill its last step has a smaller one, as in transformers 5. */
export const stepsPerEpoch = (plan: BatchPlan): number =>
  Math.ceil(batchesPerEpoch(plan) / plan.gradientAccumulationSteps);

export const totalSteps = (plan: BatchPlan): number =>
  Math.min(plan.epochs * stepsPerEpoch(plan), plan.maxSteps ?? Number.POSITIVE_INFINITY);

let lastOrder: { key: string; order: Int32Array } | undefined;

/** Row numbers of a step (from 0), batch by batch; the last batch of an epoch may be smaller. */
export function batchesOfStep(plan: BatchPlan, step: number): number[][] {
  const epoch = Math.floor(step / stepsPerEpoch(plan));
  const key = `${plan.rows} ${plan.seed} ${epoch}`;
  if (lastOrder?.key !== key) lastOrder = { key, order: rowOrder(plan.rows, plan.seed, epoch) };
  const { order } = lastOrder;
  const first = (step % stepsPerEpoch(plan)) * plan.gradientAccumulationSteps;
  const batches: number[][] = [];
  for (let batch = first; batch < Math.min(first + plan.gradientAccumulationSteps, batchesPerEpoch(plan)); batch++) {
    batches.push([...order.subarray(batch * plan.batchSize, Math.min((batch + 1) * plan.batchSize, plan.rows))]);
  }
  return batches;
}
