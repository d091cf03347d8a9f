import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { UserError } from "../base/errors.js";
import { type Prediction, scoreReplies, unreadableInWords, writePredictions } from "../evaluate/index.js";
import { type ReadingName, readingNames } from "../experiments/index.js";
import { readRunFile, splitsSchema } from "../record/index.js";
import { percent } from "../report/index.js";

interface Flags {
  readonly answerExtraction: ReadingName;
  readonly reading?: ReadingName;
  readonly predictions?: string;
  readonly json?: boolean;
}

export function scoreCommand(command: Command): Command {
  return (
    command
      .argument("<folder>", "a run's folder")
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
            process.stdout.write(
              `${stage}, read by ${extraction}: accuracy ${percent(metrics.accuracy)} of ${metrics.n}, ` +
                `unreadable ${metrics.unreadable}${why}\n`,
            );
          }
      })
  );
}

function* concatenated(parts: readonly Iterable<Prediction>[]): Generator<Prediction> {
  for (const part of parts) yield* part;
}
