import { Argument, Command, type Option } from "commander";
import { configurationPaths, presets } from "../experiments/index.js";
import { DEVICE_CHOICES } from "../graph/index.js";
import { taskNamed } from "../tasks/index.js";
import { commands } from "./commands.js";
import { type CompletedCommand, type CompletedFlag, SHELLS, type Shell, script } from "./completion-scripts.js";

export function completionCommand(command: Command): Command {
  return command
    .addArgument(new Argument("<shell>", "whose script is printed").choices([...SHELLS]))
    .addHelpText("after", `\n${SHELLS.map((shell) => `${shell}:  ${HOW[shell]}`).join("\n")}`)
    .action(async (shell: Shell) => {
      process.stdout.write(script(shell, await completedCommands()));
    });
}

/** How a shell is told for good. */
const HOW: Record<Shell, string> = {
  bash: "mmmlu completion bash > ~/.local/share/bash-completion/completions/mmmlu",
  zsh: "mmmlu completion zsh > _mmmlu, in a folder of $fpath",
  fish: "mmmlu completion fish > ~/.config/fish/completions/mmmlu.fish",
};

/** Values of flags that read them from a text themselves. */
const VALUES: Readonly<Record<string, () => Pick<CompletedFlag, "values" | "kind">>> = {
  "--set": () => ({ values: configurationPaths(), kind: "key" }),
  "--languages": () => ({ values: Object.keys(taskNamed("mmmlu").languages), kind: "list" }),
  "--device": () => ({ values: DEVICE_CHOICES, kind: "one" }),
};

/** What the commands themselves say of their flags and arguments; a command of a command is named by both. */
export async function completedCommands(): Promise<CompletedCommand[]> {
  const all = await Promise.all(commands.map(async ({ name, load }) => (await load())(new Command(name))));
  return all.flatMap((command) => completed(command, commandDescription(command.name())));
}

const commandDescription = (name: string): string => commands.find((one) => one.name === name)!.description;

function completed(command: Command, description: string, above = ""): CompletedCommand[] {
  const name = `${above}${command.name()}`;
  const inner = command.commands.flatMap((one) => completed(one, one.description(), `${name} `));
  const words = command.registeredArguments.flatMap((argument) =>
    argument.name() === "experiment" ? presets.map((preset) => preset.name) : (argument.argChoices ?? []),
  );
  return [
    {
      name,
      description,
      flags: command.options.filter((option) => !option.hidden && option.long).map(completedFlag),
      words: [...words, ...command.commands.map((one) => one.name())],
    },
    ...inner,
  ];
}

function completedFlag({ long, description, required, optional, argChoices }: Option): CompletedFlag {
  const values = argChoices ? { values: argChoices, kind: "one" as const } : VALUES[long!]?.();
  const takesValue = required || optional;
  return { name: long!, description, takesValue, ...(values ?? { values: [], kind: "one" }) };
}
