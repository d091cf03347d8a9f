import type { Command } from "commander";
import { type ExperimentFlags, withExperimentFlags } from "./experiment-flags.js";

/** What other programs made of an experiment's work: a command each. */
export function importCommand(command: Command): Command {
  withExperimentFlags(
    command
      .command("training")
      .description("take over what was trained from an experiment's bundle: its accuracy, report and model")
      .argument("<experiment>", "as the bundle was made: a preset's name or a configuration file, with the same flags")
      .argument("<results>", "the folder that was the engine's --out"),
  ).action(async (experiment: string, results: string, flags: ExperimentFlags) =>
    (await import("./import-action.js")).importTrainingAction(experiment, results, flags),
  );
  withExperimentFlags(
    command
      .command("batch")
      .description("take the results of batch files into a run's folder; mmmlu run then asks only what is missing")
      .argument("<experiment>", "as the batch was made: a preset's name or a configuration file, with the same flags")
      .argument("<results...>", "files that the server wrote, results and errors, in any order"),
  ).action(async (experiment: string, results: string[], flags: ExperimentFlags) =>
    (await import("./import-action.js")).importBatchAction(experiment, results, flags),
  );
  return command;
}
