import { type Command, InvalidArgumentError, Option } from "commander";
import { type EngineFlags, withEngineFlags } from "./engine-flags.js";
import { ROOM, withExperimentFlags } from "./experiment-flags.js";
import type { RunFlags } from "./run-action.js";

const JSON_OPTION = "print what came out as JSON: folder, report, metrics";

export function runCommand(command: Command): Command {
  return withExperimentFlags(command.argument("<experiment>", "a preset's name or a configuration file"))
    .addOption(
      new Option(
        "--again <which>",
        "ask again, with more room, the rows whose reply was cut at the limit of tokens",
      ).choices(["cut"]),
    )
    .option("--json", JSON_OPTION)
    .option("--room <factor>", `with --again: so many times the room (default ${ROOM})`, roomFactor)
    .option("--dry-run", "send nothing: print the first request, and how many requests and tokens there would be")
    .action(async (experiment: string, flags: RunFlags & { readonly dryRun?: boolean }) =>
      flags.dryRun
        ? (await import("./dry-run.js")).dryRunAction(experiment, flags)
        : (await import("./run-action.js")).runAction(experiment, flags),
    );
}

/** `finetune` is `run` by another name, for configuration files of one's own. */
export function finetuneCommand(command: Command): Command {
  return withEngineFlags(withExperimentFlags(command.argument("<config>", "a configuration file or a preset's name")))
    .option("--json", JSON_OPTION)
    .action(async (experiment: string, flags: RunFlags & EngineFlags) =>
      (await import("./run-action.js")).finetuneAction(experiment, flags),
    );
}

function roomFactor(text: string): number {
  const factor = Number(text);
  if (!(factor > 1 && factor <= 1000)) throw new InvalidArgumentError("a factor is a number above 1, at most 1000");
  return factor;
}
