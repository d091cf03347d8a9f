import type { Command } from "commander";
import { withExperimentFlags } from "./experiment-flags.js";
import { numberOption } from "./numbers.js";
import { collect } from "./options.js";
import type { PlanFlags } from "./plan-action.js";

const share = numberOption((value) => value > 0 && value <= 1, "a share is above 0 and at most 1");
const fromZeroToOne = numberOption((value) => value >= 0 && value <= 1, "a correlation is from 0 to 1");
const price = numberOption((value) => value >= 0, "a price is a number from 0, for a million tokens");
const rows = numberOption((value) => Number.isInteger(value) && value >= 2, "rows are a whole number from 2");
const power = numberOption((value) => value > 0.05 && value < 1, "a power is between 0.05 and 1");

export function planCommand(command: Command): Command {
  return withExperimentFlags(command.argument("<experiment>", "a preset's name or a configuration file"))
    .option(
      "--probe [rows]",
      "ask so many rows (default 20) and tell time and cost; the replies are kept for the run",
      rows,
    )
    .option("--price-input <price>", "of a million prompt tokens", price)
    .option("--price-output <price>", "of a million reply tokens", price)
    .option("--difference <share>", "how many rows a difference of two models needs, such as 0.02", share)
    .option("--discordance <share>", "the share of rows that just one of two models is expected to get right", share)
    .option("--correlation <number>", "of the differences of two rows of one question", fromZeroToOne)
    .option("--like <run>", "a finished run; of two, how they differ is taken from them", collect, [])
    .option("--power <share>", "the chance that a difference is found", power, 0.8)
    .option("--json", "print the plan as JSON")
    .action(async (experiment: string, flags: PlanFlags) => (await import("./plan-action.js")).plan(experiment, flags));
}
