import type { Command } from "commander";
import { configure } from "../experiments/index.js";
import { withoutSecrets } from "../record/index.js";
import { collect, notice } from "./options.js";

export function showCommand(command: Command): Command {
  return command
    .argument("<experiment>", "a preset's name or a configuration file")
    .option("--set <key=value>", "change one key, such as training.epochs=3", collect, [])
    .action(async (experiment: string, options: { set: string[] }) => {
      process.stdout.write(
        `${JSON.stringify(withoutSecrets(await configure(experiment, options.set, { notice })), null, 2)}\n`,
      );
    });
}
