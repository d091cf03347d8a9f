import type { Command } from "commander";
import { collect } from "./options.js";
import type { SweepFlags } from "./sweep-action.js";

export function sweepCommand(command: Command): Command {
  return command
    .argument("<file>", "a .json file of models, protocols and languages")
    .option("--set <key=value>", "change one key in every run; may be given several times", collect, [])
    .option("--out <folder>", "the folder that holds the runs (default outputs/<the file's name>)")
    .option("--sample", "every run on the embedded sample")
    .option("--offline", "no network: everything must be in the cache")
    .option("--dry-run", "send nothing: print how many requests and tokens there would be")
    .action(async (file: string, flags: SweepFlags) => (await import("./sweep-action.js")).sweep(file, flags));
}
