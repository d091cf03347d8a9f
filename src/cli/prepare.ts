import type { Command } from "commander";
import { withExperimentFlags } from "./experiment-flags.js";
import type { PrepareFlags } from "./prepare-action.js";

export function prepareCommand(command: Command): Command {
  return withExperimentFlags(command.argument("<experiment>", "a preset's name or a configuration file"))
    .option("--json", "print sizes, filter and leak audit as JSON")
    .action(async (experiment: string, flags: PrepareFlags) =>
      (await import("./prepare-action.js")).prepareAction(experiment, flags),
    );
}
