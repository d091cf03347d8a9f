import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { readLetter } from "../answer/index.js";
import { UserError } from "../base/errors.js";
import {
  accuracyOf,
  evaluationMetrics,
  lettersOfAnswers,
  type Prediction,
  scoreReplies,
  unreadableInWords,
  writePredictions,
} from "../evaluate/index.js";
import { importerOf, importers, type Result } from "../exchange/index.js";
import { type ReadingName, readingNames } from "../experiments/index.js";
import { readRunFile, splitsSchema } from "../record/index.js";
import { percent } from "../report/index.js";
import { print } from "./print.js";

interface Flags {
  readonly answerExtraction: ReadingName;
  readonly reading?: ReadingName;
  readonly predictions?: string;
  readonly json?: boolean;
}

export function scoreCommand(command: Command): Command {
  return (
    command
      .argument("<folder>", "a run's folder, or another tool's result with its replies")
      .addOption(
        new Option("--answer-extraction <name>", "how answers are extracted from replies")
          .choices([...readingNames])
          .default("robust"),
      )
      // The name until 0.1.
      .addOption(new Option("--reading <name>").choices([...readingNames]).hideHelp())
      .option("--predictions <file>", "write what was read, as a run's predictions.jsonl")
      .option("--json", "print the metrics as JSON")
      .action(async (folder: string, flags: Flags) => {
        const extraction = flags.reading ?? flags.answerExtraction;
        const importer = existsSync(join(folder, "replies.jsonl")) ? undefined : importerOf(folder);
        if (importer && importer !== importers[0]) return scoreImported(await importer.read(folder), extraction, flags);
        const replies = join(folder, "replies.jsonl");
        if (!existsSync(replies))
          throw new UserError(`${folder} has no replies.jsonl`, {
            hint: "Give the folder of a run that asked questions.",
          });
        const order = (await readRunFile(folder, "splits.json", splitsSchema))?.test;
        const stages = await scoreReplies(replies, extraction, order);
        if (flags.predictions !== undefined)
          writePredictions(flags.predictions, concatenated(stages.map((one) => one.predictions)));
        if (flags.json)
          process.stdout.write(
            `${JSON.stringify(Object.fromEntries(stages.map((one) => [one.stage, one.metrics])), null, 2)}\n`,
          );
        else
          for (const { stage, metrics } of stages) {
            const why = metrics.unreadable ? ` (${unreadableInWords(metrics.unreadableBy)})` : "";
            print(
              `${stage}, read by ${extraction}: accuracy ${percent(metrics.accuracy)} of ${metrics.n}, ` +
                `unreadable ${metrics.unreadable}${why}`,
            );
          }
      })
  );
}

/** Replies of another tool, read by a reading of ours, beside what the tool itself made of them. */
function scoreImported(results: readonly Result[], extraction: ReadingName, flags: Flags): void {
  const stages = results.map((result) => {
    const predictions = result.predictions.map(({ unreadable: _why, ...one }): Prediction => {
      // A letter that was scored by its likelihood was never written.
      const prediction = one.logProbabilities
        ? one.prediction
        : readLetter(extraction, one.reply, lettersOfAnswers([one]));
      if (prediction !== null) return { ...one, prediction };
      const unreadable = one.cut ? "cut" : one.reply.trim() === "" ? "empty" : "withoutLetter";
      return { ...one, prediction, unreadable };
    });
    return { result, predictions, metrics: evaluationMetrics(predictions) };
  });
  if (flags.predictions !== undefined)
    writePredictions(flags.predictions, concatenated(stages.map(({ predictions }) => predictions)));
  if (flags.json) {
    const told = stages.map(({ result, metrics }) => [result.predictions[0]?.stage ?? result.name, metrics]);
    process.stdout.write(`${JSON.stringify(Object.fromEntries(told), null, 2)}\n`);
    return;
  }
  for (const { result, metrics } of stages) {
    const own = accuracyOf(result.predictions).accuracy;
    process.stdout.write(
      `${result.name}, read by ${extraction}: accuracy ${percent(metrics.accuracy)} of ${metrics.n}, unreadable ` +
        `${metrics.unreadable}; as ${result.tool} read it ${percent(own)}\n`,
    );
    for (const note of result.notes) print(`  ${note}`);
  }
}

function* concatenated(parts: readonly Iterable<Prediction>[]): Generator<Prediction> {
  for (const part of parts) yield* part;
}
