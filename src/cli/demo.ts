import type { Command } from "commander";

export function demoCommand(command: Command): Command {
  return command
    .option("--out <folder>", "where the runs go", "outputs/demo")
    .action(async (flags: { out: string }) => (await import("./demo-action.js")).demo(flags));
}
