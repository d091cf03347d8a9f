import { type Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../base/errors.js";
import { freeYoungGeneration } from "../base/garbage.js";
import { type ExperimentConfiguration, ROOM, runExperiment } from "../experiments/index.js";
import { configurationOf, contextOf, type ExperimentFlags, ofKind, withExperimentFlags } from "./context.js";
import { type EngineFlags, engineOf, withEngineFlags } from "./engines.js";
import { tellOutcome } from "./outcome.js";

interface RunFlags extends ExperimentFlags {
  readonly json?: boolean;
}

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
      flags.dryRun ? (await import("./dry-run.js")).dryRunAction(experiment, flags) : runAction(experiment, flags),
    );
}

/** `finetune` is `run` by another name, for configuration files of one's own. */
export function finetuneCommand(command: Command): Command {
  return withEngineFlags(withExperimentFlags(command.argument("<config>", "a configuration file or a preset's name")))
    .option("--json", JSON_OPTION)
    .action((experiment: string, flags: RunFlags & EngineFlags) => finetuneAction(experiment, flags));
}

async function finetuneAction(experiment: string, flags: RunFlags & EngineFlags): Promise<void> {
  const train = engineOf(flags);
  if (!train) return runAction(experiment, flags, "finetune");
  const configuration = ofKind(experiment, await configurationOf(experiment, flags), "finetune");
  const context = contextOf(flags);
  try {
    await tellOutcome(await train(configuration, context), flags);
  } finally {
    context.done();
  }
}

async function runAction(experiment: string, flags: RunFlags, kind?: ExperimentConfiguration["kind"]): Promise<void> {
  const given = await configurationOf(experiment, flags);
  const configuration = kind === undefined ? given : ofKind(experiment, given, kind);
  if (flags.again && configuration.kind !== "evaluate")
    throw new UsageError(`${experiment}: kind is ${configuration.kind}, and --again asks a server or model once more`, {
      hint: "Run it without --again.",
    });
  const context = contextOf(flags);
  if (configuration.kind !== "evaluate") freeYoungGeneration();
  try {
    await tellOutcome(await runExperiment(configuration, context), flags);
  } finally {
    context.done();
  }
}

function roomFactor(text: string): number {
  const factor = Number(text);
  if (!(factor > 1 && factor <= 1000)) throw new InvalidArgumentError("a factor is a number above 1, at most 1000");
  return factor;
}
