import { Argument, Command } from "commander";
import { presets } from "../experiments/index.js";
import { commands } from "./commands.js";
import { type CompletedCommand, SHELLS, type Shell, script } from "./completion-scripts.js";

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

/** What the commands themselves say of their flags and arguments. */
export async function completedCommands(): Promise<CompletedCommand[]> {
  return Promise.all(
    commands.map(async ({ name, description, load }) => {
      const command = (await load())(new Command(name));
      return {
        name,
        description,
        flags: command.options
          .filter((option) => !option.hidden && option.long)
          .map((option) => ({
            name: option.long as string,
            description: option.description,
            takesValue: option.required || option.optional,
            values: option.argChoices ?? [],
          })),
        words: command.registeredArguments.flatMap((argument) =>
          argument.name() === "experiment" ? presets.map((preset) => preset.name) : (argument.argChoices ?? []),
        ),
      };
    }),
  );
}
