import type { AdamWOptions } from "../graph/index.js";
import type { ScheduleOptions } from "./schedule.js";

/** How a model is trained. */
export interface TrainingOptions extends Omit<ScheduleOptions, "totalSteps">, AdamWOptions {
  readonly epochs: number;
  /** Ends training after so many steps at most, which the schedule then counts on; null or undefined for all. */
  readonly maxSteps?: number | null;
  readonly batchSize: number;
  readonly gradientAccumulationSteps: number;
  /** Gradients are scaled down to this common norm; null for no clipping. */
  readonly maxGradNorm: number | null;
  readonly seed: number;
  /**
   * Whether the batches of a step go through the model together where it can do that (on a device): the same sums by
   * larger products, in more memory. Off unless given.
   */
  readonly mergeBatches?: boolean;
  /** Whether dropout is on while training. */
  readonly dropout: boolean;
  readonly loggingSteps: number;
  /** Steps between checkpoints; the folder that holds them is `checkpointFolder`. */
  readonly saveSteps: number;
  readonly checkpointFolder: string;
  readonly validateEachEpoch: boolean;
  /** Whether the weights of the epoch with the lowest validation loss are loaded at the end. */
  readonly loadBestModelAtEnd: boolean;
  /** Ends training after so many epochs without a lower validation loss; null for never. */
  readonly earlyStoppingPatience: number | null;
  /** Hash of model, data and everything else that the steps depend on; a checkpoint of another is refused. */
  readonly identity: string;
}

/** A logged step. `loss` is the mean over the steps since the last one logged, as the Trainer logs it. */
export interface LoggedStep {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly rowsPerSecond: number;
  readonly seconds: number;
}

export interface Validation {
  readonly epoch: number;
  readonly step: number;
  /** Mean over target tokens. */
  readonly loss: number;
  /** exp(loss) */
  readonly perplexity: number;
}

export interface TrainingHooks {
  /**
   * Told before the first step of a sitting, where there is one to take: how many were taken before, and how many there
   * are.
   */
  readonly onBegin?: (begun: { readonly step: number; readonly totalSteps: number }) => void;
  readonly onLog?: (logged: LoggedStep) => void;
  readonly onValidation?: (validation: Validation) => void;
  /** Told every step: for a line that is drawn anew. */
  readonly onStep?: (step: LoggedStep & { readonly totalSteps: number; readonly secondsLeft: number }) => void;
  /** Told in a sentence what a user should know: that a checkpoint was damaged, say. */
  readonly onNotice?: (line: string) => void;
  /** Asked before every step and between batches of a validation: true writes a checkpoint and ends with `stopped`. */
  readonly shouldStop?: () => boolean;
}

export interface TrainingResult {
  /** Optimizer steps taken, over all sittings. */
  readonly steps: number;
  readonly rows: number;
  /** Mean of the steps' losses. */
  readonly loss: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly validations: readonly Validation[];
  readonly bestEpoch: number | null;
  /** Whether it was asked to stop before its end. */
  readonly stopped: boolean;
  /** The step that this sitting went on from; 0 for a fresh start. */
  readonly resumedAt: number;
}
