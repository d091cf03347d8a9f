export { tensorboardTracker } from "./tensorboard.js";
export { type Logged, type RunDescription, together, type Tracker } from "./tracker.js";
export { type WandbMode, type WandbSettings, wandbSettings } from "./wandb/settings.js";
export { wandbTracker, type WandbTimes } from "./wandb/tracker.js";
