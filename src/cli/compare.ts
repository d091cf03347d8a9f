import { type Command, InvalidArgumentError } from "commander";
import type { CompareFlags } from "./compare-action.js";

export function compareCommand(command: Command): Command {
  return command
    .argument(
      "<run...>",
      "runs' folders, or other tools' results (lm-evaluation-harness, Inspect); FOLDER:baseline names a stage",
    )
    .option("--out <file>", "where the report goes", "outputs/comparison.html")
    .option("--seed <number>", "seeds the bootstrap", seedNumber, 42)
    .option("--offline", "no network: rows of our runs that are read anew must be in the cache")
    .option("--json", "print the comparison as JSON")
    .action(async (references: string[], flags: CompareFlags) =>
      (await import("./compare-action.js")).compareAction(references, flags),
    );
}

function seedNumber(text: string): number {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0 || text.trim() === "")
    throw new InvalidArgumentError("a seed is a whole number from 0");
  return seed;
}
