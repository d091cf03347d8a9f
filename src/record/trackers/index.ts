export { tensorboardTracker } from "./tensorboard.js";
export { type Logged, type RunDescription, type Tracker, together } from "./tracker.js";
export { type WandbMode, type WandbSettings, wandbSettings } from "./wandb/settings.js";
export { type WandbTimes, wandbTracker } from "./wandb/tracker.js";
