import { Command, Help, Option } from "commander";
import { VERSION } from "../base/versions.js";
import { commands } from "./commands.js";

/**
 * The command line. Of the commands only the one that is asked for is loaded: the others are there by name and
 * description.
 * @param words what follows `mmmlu`
 */
export async function program(words: readonly string[]): Promise<Command> {
  const root = new Command("mmmlu")
    .description("Experiments on MMMLU: explore, split, fine-tune and evaluate")
    .version(VERSION, "-v, --version")
    .addOption(new Option("--debug", "print stack traces"))
    .showHelpAfterError("(mmmlu --help lists the commands)")
    .configureHelp({ minWidthToWrap: LEAST_HELP, formatItem, optionDescription })
    .configureOutput({ outputError: (text, write) => write(`mmmlu: ${text.replace(/^error: /, "")}`) });
  // Before the command's name stand options without a value only.
  const named = words.filter((word) => !word.startsWith("-")).find((word, index) => index > 0 || word !== "help");
  for (const { name, description, load } of commands) {
    const command = new Command(name).description(description);
    root.addCommand(name === named ? (await load())(command) : command);
  }
  strict(root);
  return root;
}

/** Columns that a description has beside its term; where a terminal has no room for them it stands below. */
const LEAST_HELP = 30;

const BELOW = " ".repeat(6);

function formatItem(this: Help, term: string, width: number, description: string, helper: Help): string {
  const columns = helper.helpWidth ?? 80;
  if (columns - width - 4 >= LEAST_HELP || !description)
    return Help.prototype.formatItem.call(this, term, width, description, helper);
  const below = helper.boxWrap(description, Math.max(LEAST_HELP, columns - BELOW.length));
  return `  ${term}\n${below.replaceAll(/^/gm, BELOW)}`;
}

/** Of an option that may be given several times nothing is said where none is the default. */
const optionDescription = (option: Option): string =>
  new Help().optionDescription(option).replace(" (default: [])", "");

/** Wrong usage is thrown, so that main alone decides the exit code; every command takes `--debug`. */
function strict(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) {
    inner.copyInheritedSettings(command);
    inner.addOption(new Option("--debug", "print stack traces").hideHelp());
    strict(inner);
  }
}
