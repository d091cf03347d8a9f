import { type RunDescription, startTrackers, type Tracker, withoutSecrets } from "../record/index.js";
import { protocolChanges } from "./configuration/differences.js";
import type { ExperimentConfiguration } from "./configuration/schema.js";
import type { RunContext, RunOutcome } from "./context.js";
import { experimentOf } from "./presets/index.js";

/**
 * Does a run's work with the trackers that its configuration, the command line and the environment name; they are told
 * what the run says, its headline, and whether it came to its end.
 */
export async function tracked(
  configuration: ExperimentConfiguration,
  folder: string,
  context: RunContext,
  work: (tracker: Tracker, watched: RunContext) => Promise<RunOutcome>,
): Promise<RunOutcome> {
  const tracker = startTracking(configuration, folder, context);
  let exitCode = 1;
  try {
    const outcome = await work(tracker, recorded(context, tracker));
    outcome.headline.forEach((line) => tracker.output(line));
    exitCode = 0;
    return outcome;
  } finally {
    await tracker.finish(exitCode);
  }
}

function startTracking(configuration: ExperimentConfiguration, folder: string, context: RunContext): Tracker {
  const run: RunDescription = {
    name: runNameOf(configuration),
    project: configuration.tracking.project,
    configuration: withoutSecrets(configuration),
    folder,
    kind: configuration.kind,
  };
  const { wandb, tensorboard } = configuration.tracking;
  return startTrackers(run, {
    wandb: context.wandb ?? (wandb === "disabled" ? undefined : wandb),
    tensorboard,
    environment: context.environment,
    say: (line) => context.progress.say(line),
  });
}

/** A preset on its own data is called what the published run was called; any other run by its name. */
function runNameOf(configuration: ExperimentConfiguration): string {
  const experiment = experimentOf(configuration);
  const published = experiment && protocolChanges(configuration).length === 0 ? experiment.runName : undefined;
  return published ?? configuration.name;
}

/** The context whose progress is told to a tracker too: what a run says stands in the tracker's log of its output. */
function recorded(context: RunContext, tracker: Tracker): RunContext {
  const { progress } = context;
  let stage = "";
  return {
    ...context,
    progress: {
      begin(name, total, from) {
        stage = name;
        progress.begin(name, total, from);
      },
      update: (done, note) => progress.update(done, note),
      say(line) {
        tracker.output(line);
        progress.say(line);
      },
      end(note) {
        tracker.output(`${stage}: ${note ?? "done"}`);
        progress.end(note);
      },
    },
  };
}
