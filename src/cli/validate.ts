import type { Command } from "commander";
import { configure } from "../experiments/index.js";
import { notice } from "./options.js";
import { print } from "./print.js";

export function validateCommand(command: Command): Command {
  return command.argument("<file>", "a .json, .ts or .js file, or a preset's name").action(async (file: string) => {
    const configuration = await configure(file, [], { notice });
    print(`${file}: a valid ${configuration.kind} experiment, "${configuration.name}"`);
  });
}
