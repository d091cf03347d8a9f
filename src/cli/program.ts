import { Command, Option } from "commander";
import { VERSION } from "../base/versions.js";
import { compareCommand } from "./compare.js";
import { demoCommand } from "./demo.js";
import { listCommand } from "./list.js";
import { mergeCommand } from "./merge.js";
import { prepareCommand } from "./prepare.js";
import { reproduceCommand } from "./reproduce.js";
import { finetuneCommand, runCommand } from "./run.js";
import { scoreCommand } from "./score.js";
import { serveCommand } from "./serve.js";
import { showCommand } from "./show.js";
import { validateCommand } from "./validate.js";
import { viewCommand } from "./view.js";

/** The command line: one file a command beside this one. */
export function program(): Command {
  const root = new Command("mmmlu")
    .description("Experiments on MMMLU: explore, split, fine-tune and evaluate")
    .version(VERSION)
    .addOption(new Option("--debug", "print stack traces"))
    .showHelpAfterError("(mmmlu --help lists the commands)")
    .configureOutput({ outputError: (text, write) => write(`mmmlu: ${text.replace(/^error: /, "")}`) });
  for (const command of [
    runCommand(),
    prepareCommand(),
    finetuneCommand(),
    reproduceCommand(),
    scoreCommand(),
    compareCommand(),
    viewCommand(),
    serveCommand(),
    mergeCommand(),
    demoCommand(),
    listCommand(),
    showCommand(),
    validateCommand(),
  ])
    root.addCommand(command);
  strict(root);
  return root;
}

/** Wrong usage is thrown, so that main alone decides the exit code; every command takes `--debug`. */
function strict(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) {
    inner.copyInheritedSettings(command);
    inner.addOption(new Option("--debug", "print stack traces").hideHelp());
    strict(inner);
  }
}
