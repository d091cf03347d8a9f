import { Argument, type Command } from "commander";
import { writeOutput } from "../base/folders.js";
import { configurationJsonSchema, sweepJsonSchema } from "../experiments/index.js";

const schemas = { experiment: configurationJsonSchema, sweep: sweepJsonSchema } as const;
type SchemaName = keyof typeof schemas;

export function schemaCommand(command: Command): Command {
  return command
    .addArgument(new Argument("[what]", "whose files").choices(Object.keys(schemas)).default("experiment"))
    .option("--out <file>", "write it there instead")
    .action((what: SchemaName, { out }: { out?: string }) => {
      const text = `${JSON.stringify(schemas[what](), null, 2)}\n`;
      if (out === undefined) process.stdout.write(text);
      else writeOutput(out, text);
    });
}
