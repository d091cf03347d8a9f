import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../base/errors.js";
import { didYouMeanBeside } from "../base/nearest.js";
import { silent } from "../base/progress.js";
import type { PromptOf, QuestionsOf } from "../report/index.js";
import { interrupted } from "./options.js";

export function viewCommand(command: Command): Command {
  return command
    .argument("[folder]", "the folder that holds runs, or a run's own", OUTPUTS)
    .option("--port <number>", "0 takes any that is free", portNumber, 4321)
    .action(async (folder: string, flags: { port: number }) => {
      checkFolder(folder);
      const run = existsSync(join(folder, "run.json")) ? resolve(folder) : undefined;
      let anew: ReturnType<typeof readAnew> | undefined;
      const { serveRuns } = await import("../report/index.js");
      const viewer = await serveRuns(run === undefined ? folder : dirname(run), {
        port: flags.port,
        promptOf: async (path, reply) => (await (anew ??= readAnew())).promptOf(path, reply),
        questionsOf: async (path, language) => (await (anew ??= readAnew())).questionsOf(path, language),
      });
      const ended = interrupted();
      process.stdout.write(`${viewer.url}${run === undefined ? "" : `run/${encodeURIComponent(basename(run))}`}\n`);
      await ended;
      await viewer.close();
    });
}

/** Loaded with the first row that is looked at; a page fetches nothing from the hub. */
async function readAnew(): Promise<{ promptOf: PromptOf; questionsOf: QuestionsOf }> {
  const { promptWriter, questionReader } = await import("../experiments/index.js");
  const context = { offline: true, progress: silent, environment: process.env };
  return { promptOf: promptWriter(context), questionsOf: questionReader(context) };
}

/** Where runs go unless another folder is given; it may be made later, while the viewer is open. */
const OUTPUTS = "outputs";

/** @throws {UserError} where a folder that was named is not there, or is none */
function checkFolder(folder: string): void {
  const about = statSync(folder, { throwIfNoEntry: false });
  if (about?.isDirectory()) return;
  if (about) throw new UserError(`${folder} is a file`, { hint: "Give the folder that holds runs, or a run's own." });
  if (folder === OUTPUTS) {
    process.stderr.write(`mmmlu: there is no folder ${OUTPUTS} here yet: runs are shown as they come\n`);
    return;
  }
  throw new UserError(`there is no folder ${folder}${didYouMeanBeside(folder)}`, {
    hint: "Give the folder that holds runs; mmmlu view alone shows outputs.",
  });
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("a port is a whole number from 0 to 65535");
  return port;
}
