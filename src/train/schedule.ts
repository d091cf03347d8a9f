export interface ScheduleOptions {
  readonly schedule: "linear" | "cosine" | "constant";
  readonly learningRate: number;
  readonly totalSteps: number;
  /** Share of the steps that warm up; rounded up, as in transformers. */
  readonly warmupRatio: number;
}

/** Steps that warm up. */
export const warmupSteps = (options: Pick<ScheduleOptions, "totalSteps" | "warmupRatio">): number =>
  Math.ceil(options.totalSteps * options.warmupRatio);

/** The learning rate of a step (from 0): transformers' `get_{linear,cosine,constant}_schedule_with_warmup`. */
export function learningRateAt(options: ScheduleOptions, step: number): number {
  const warmup = warmupSteps(options);
  if (step < warmup) return options.learningRate * (step / Math.max(1, warmup));
  if (options.schedule === "constant") return options.learningRate;
  const rest = Math.max(1, options.totalSteps - warmup);
  if (options.schedule === "linear") return options.learningRate * Math.max(0, (options.totalSteps - step) / rest);
  return options.learningRate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * ((step - warmup) / rest))));
}
