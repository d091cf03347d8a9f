import type { Command } from "commander";
import type { LensFlags } from "./lens-action.js";
import { numberOption } from "./numbers.js";

export function lensCommand(command: Command): Command {
  return command
    .argument("<run...>", "folders of finished runs of several languages; FOLDER:baseline names a stage")
    .option("--reference <language>", "the language that the others are held against (default: English, else the best)")
    .option(
      "--false-alarms <share>",
      "the share of false alarms among the flagged rows",
      numberOption((value) => value > 0 && value < 1, "a share is between 0 and 1"),
      0.1,
    )
    .option("--redux <file>", "MMLU-Redux' rows (.csv, .jsonl, .parquet): questions with an error are not clean")
    .option("--english <source>", "MMLU's English rows, by which --redux is matched", "cais/mmlu")
    .option("--global <file>", "Global-MMLU's rows of one language, for their cultural labels")
    .option("--no-texts", "do not read the rows' texts: nothing by length, unknown tokens and duplicates")
    .option("--offline", "no network: everything must be in the cache")
    .option("--out <folder>", "where page, figures and CSV files go (default: lens in the first run's folder)")
    .option("--json", "print what was found as JSON")
    .action(async (references: string[], flags: LensFlags) =>
      (await import("./lens-action.js")).lens(references, flags),
    );
}
