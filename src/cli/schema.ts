import type { Command } from "commander";
import { configurationJsonSchema } from "../experiments/index.js";

export function schemaCommand(command: Command): Command {
  return command.action(() => {
    process.stdout.write(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
  });
}
