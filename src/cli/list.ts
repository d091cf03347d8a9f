import type { Command } from "commander";
import { presets } from "../experiments/index.js";
import { print } from "./print.js";

export function listCommand(command: Command): Command {
  return command.option("--json", "print name, kind and description as JSON").action(({ json }: { json?: boolean }) => {
    if (json) {
      const all = presets.map(({ name, kind, description }) => ({ name, kind, description }));
      process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
      return;
    }
    const width = Math.max(...presets.map((preset) => preset.name.length));
    for (const preset of presets) print(`${preset.name.padEnd(width)}  ${preset.description}`);
  });
}
