import { importBatch, importTraining } from "../experiments/index.js";
import { configurationOf, contextOf, ofKind } from "./context.js";
import type { ExperimentFlags } from "./experiment-flags.js";
import { tellOutcome } from "./outcome.js";

export async function importBatchAction(experiment: string, results: string[], flags: ExperimentFlags): Promise<void> {
  const configuration = ofKind(experiment, await configurationOf(experiment, flags), "evaluate");
  const context = contextOf(flags);
  try {
    const { folder, taken, before, repeated, faults, foreign, unreadable, missing, requests } = await importBatch(
      configuration,
      context,
      results,
    );
    const number = (value: number): string => value.toLocaleString("en");
    const counts = [
      `${number(taken)} of ${number(requests)} requests answered by these files`,
      ...(before ? [`${number(before)} there before`] : []),
      ...(repeated ? [`${number(repeated)} repeated`] : []),
      ...(foreign ? [`${number(foreign)} of another experiment`] : []),
      ...(unreadable ? [`${number(unreadable)} ${unreadable === 1 ? "line is" : "lines are"} no results`] : []),
      `${number(missing)} without a reply`,
    ];
    process.stdout.write(`${counts.join(", ")}\n`);
    for (const [why, count] of Object.entries(faults)) process.stdout.write(`  ${number(count)} failed: ${why}\n`);
    process.stdout.write(
      `mmmlu run ${experiment} --out ${folder} ${missing ? "asks those" : "measures them"}; give it the same flags\n`,
    );
  } finally {
    context.done();
  }
}

export async function importTrainingAction(experiment: string, results: string, flags: ExperimentFlags): Promise<void> {
  const configuration = ofKind(experiment, await configurationOf(experiment, flags), "finetune");
  const context = contextOf(flags);
  try {
    await tellOutcome(await importTraining(configuration, context, results));
  } finally {
    context.done();
  }
}
