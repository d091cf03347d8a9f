import type { ExperimentConfiguration } from "./configuration/schema.js";
import type { RunContext, RunOutcome } from "./context.js";
import { runEvaluate } from "./run-evaluate.js";
import { runExplore } from "./run-explore.js";
import { runFinetune } from "./run-finetune.js";
import { withRunLog } from "./run-log.js";

/** Runs an experiment from first to last; the same call goes on where an interrupted one stopped. */
export const runExperiment = (configuration: ExperimentConfiguration, context: RunContext): Promise<RunOutcome> =>
  withRunLog(context, (watched) => runKind(configuration, watched));

function runKind(configuration: ExperimentConfiguration, context: RunContext): Promise<RunOutcome> {
  switch (configuration.kind) {
    case "explore":
      return runExplore(configuration, context);
    case "evaluate":
      return runEvaluate(configuration, context);
    case "finetune":
      return runFinetune(configuration, context);
    default:
      return configuration satisfies never;
  }
}
