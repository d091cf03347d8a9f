import type { Command } from "commander";
import { importBatch, importTraining } from "../experiments/index.js";
import { configurationOf, contextOf, type ExperimentFlags, ofKind, withExperimentFlags } from "./context.js";
import { tellOutcome } from "./outcome.js";

/** What other programs made of an experiment's work: a command each. */
export function importCommand(command: Command): Command {
  withExperimentFlags(
    command
      .command("training")
      .description("take over what was trained from an experiment's bundle: its accuracy, report and model")
      .argument("<experiment>", "as the bundle was made: a preset's name or a configuration file, with the same flags")
      .argument("<results>", "the folder that was the engine's --out"),
  ).action(training);
  withExperimentFlags(
    command
      .command("batch")
      .description("take the results of batch files into a run's folder; mmmlu run then asks only what is missing")
      .argument("<experiment>", "as the batch was made: a preset's name or a configuration file, with the same flags")
      .argument("<results...>", "files that the server wrote, results and errors, in any order"),
  ).action(batch);
  return command;
}

async function batch(experiment: string, results: string[], flags: ExperimentFlags): Promise<void> {
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

async function training(experiment: string, results: string, flags: ExperimentFlags): Promise<void> {
  const configuration = ofKind(experiment, await configurationOf(experiment, flags), "finetune");
  const context = contextOf(flags);
  try {
    await tellOutcome(await importTraining(configuration, context, results));
  } finally {
    context.done();
  }
}
