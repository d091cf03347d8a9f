import { type RunDescription, tensorboardTracker, together, type Tracker, wandbSettings, wandbTracker } from "../record/index.js";
import type { ExperimentConfiguration } from "./configuration.js";
import type { RunContext } from "./context.js";

/** Begins logging a run to the trackers that its configuration, the command line and the environment name. */
export function startTracking(configuration: ExperimentConfiguration, folder: string, context: RunContext): Tracker {
  const run: RunDescription = { name: configuration.name, project: configuration.tracking.project, configuration, folder, kind: configuration.kind };
  const say = (line: string): void => context.progress.say(line);
  const asked = context.wandb ?? (configuration.tracking.wandb === "disabled" ? undefined : configuration.tracking.wandb);
  const settings = wandbSettings(asked, run, context.environment);
  return together([
    ...(settings.mode === "disabled" ? [] : [wandbTracker(run, settings, say)]),
    ...(configuration.tracking.tensorboard ? [tensorboardTracker(run, say)] : []),
  ]);
}
