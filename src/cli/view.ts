import { type Command, InvalidArgumentError } from "commander";
import { serveRuns } from "../report/index.js";
import { interrupted } from "./options.js";

export function viewCommand(command: Command): Command {
  return command
    .argument("[folder]", "the folder that holds runs", "outputs")
    .option("--port <number>", "0 takes any that is free", portNumber, 4321)
    .action(async (folder: string, flags: { port: number }) => {
      const viewer = await serveRuns(folder, { port: flags.port });
      const ended = interrupted();
      process.stdout.write(`${viewer.url}\n`);
      await ended;
      await viewer.close();
    });
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("a port is a whole number from 0 to 65535");
  return port;
}
