import type { RunDescription, Tracker } from "./tracker.js";
import type { WandbMode } from "./wandb/settings.js";

/** What decides which trackers a run has. */
export interface TrackingChoice {
  /** What the command line or the configuration says of Weights & Biases; undefined leaves it to the environment. */
  readonly wandb: WandbMode | undefined;
  readonly tensorboard: boolean;
  readonly environment: NodeJS.ProcessEnv;
  /** Told of troubles, once each. */
  readonly say: (line: string) => void;
}

/** Starts a kind of tracker where it is chosen. A kind is a file (or folder) here and a line in `index.ts`. */
export type StartTracker = (run: RunDescription, choice: TrackingChoice) => Tracker | undefined;
