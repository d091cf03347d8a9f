/** Where figures go besides a run's folder: one more tracker is a file here and a line in this one. */
import type { StartTracker, TrackingChoice } from "./kind.js";
import { startTensorboard } from "./tensorboard.js";
import { type RunDescription, type Tracker, together } from "./tracker.js";
import { startWandb } from "./wandb/tracker.js";

const trackers: readonly StartTracker[] = [startWandb, startTensorboard];

/** The trackers that are chosen, as one. */
export const startTrackers = (run: RunDescription, choice: TrackingChoice): Tracker =>
  together(trackers.flatMap((start) => start(run, choice) ?? []));

export type { StartTracker, TrackingChoice } from "./kind.js";
export { tensorboardTracker } from "./tensorboard.js";
export { type Logged, type RunDescription, type Tracker, together } from "./tracker.js";
export { type WandbMode, type WandbSettings, wandbSettings } from "./wandb/settings.js";
export { type WandbTimes, wandbTracker } from "./wandb/tracker.js";
