import type { Command } from "commander";
import { withExperimentFlags } from "./experiment-flags.js";
import type { ReproduceFlags } from "./reproduce-action.js";

export function reproduceCommand(command: Command): Command {
  return withExperimentFlags(
    command
      .argument("[experiment...]", "which of them")
      .option("--all", "all of them, one after the other; so it is where none is named, too")
      .option("--no-run", "run nothing: read the runs that are there")
      .option("--json", "print the figures as JSON"),
    { out: "the folder that holds the runs (default outputs)" },
  ).action(async (given: string[], flags: ReproduceFlags) =>
    (await import("./reproduce-action.js")).reproduce(given, flags),
  );
}
