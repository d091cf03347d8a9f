import type { Command } from "commander";
import { writeWhole } from "../base/files.js";
import { configurationJsonSchema } from "../experiments/index.js";

export function schemaCommand(command: Command): Command {
  return command.option("--out <file>", "write it there instead").action(({ out }: { out?: string }) => {
    const text = `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`;
    if (out === undefined) process.stdout.write(text);
    else writeWhole(out, text);
  });
}
