import { UsageError } from "../base/errors.js";
import { freeYoungGeneration } from "../base/garbage.js";
import { type ExperimentConfiguration, runExperiment } from "../experiments/index.js";
import { configurationOf, contextOf, ofKind } from "./context.js";
import type { EngineFlags } from "./engine-flags.js";
import { engineOf } from "./engines.js";
import type { ExperimentFlags } from "./experiment-flags.js";
import { tellOutcome } from "./outcome.js";

export interface RunFlags extends ExperimentFlags {
  readonly json?: boolean;
}

export async function finetuneAction(experiment: string, flags: RunFlags & EngineFlags): Promise<void> {
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

export async function runAction(
  experiment: string,
  flags: RunFlags,
  kind?: ExperimentConfiguration["kind"],
): Promise<void> {
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
