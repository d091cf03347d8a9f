import type { Command } from "commander";
import { presets } from "../experiments/index.js";

export function listCommand(command: Command): Command {
  return command.action(() => {
    const width = Math.max(...presets.map((preset) => preset.name.length));
    for (const preset of presets) process.stdout.write(`${preset.name.padEnd(width)}  ${preset.description}\n`);
  });
}
