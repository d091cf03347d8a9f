/** Shells whose completion is known. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A command as a completion shows it. */
export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly {
    readonly name: string;
    readonly description: string;
    readonly takesValue: boolean;
    /** The values that it may have, where they are a fixed few. */
    readonly values: readonly string[];
  }[];
  /** What may stand as an argument beside files and folders. */
  readonly words: readonly string[];
}

/** The completion script of a shell: commands, their flags, the flags' values, and files elsewhere. */
export const script = (shell: Shell, commands: readonly CompletedCommand[]): string =>
  ({ bash, zsh, fish })[shell](commands);

const GLOBAL = ["--debug", "--help", "--version"];
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const names = (all: readonly { readonly name: string }[]): string => all.map(({ name }) => name).join(" ");

function bash(commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap(({ name, flags }) =>
    flags
      .filter((flag) => flag.values.length)
      .map(
        (flag) =>
          `    ${name}:${flag.name}) COMPREPLY=($(compgen -W "${flag.values.join(" ")}" -- "$word")); return ;;`,
      ),
  );
  const files = commands.flatMap(({ name, flags }) =>
    flags.filter((flag) => flag.takesValue && !flag.values.length).map((flag) => `${name}:${flag.name}`),
  );
  return `# bash completion of mmmlu; made by: mmmlu completion bash
_mmmlu() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command= at
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ \${COMP_WORDS[at]} != -* ]] && { command=\${COMP_WORDS[at]}; break; }
  done
  COMPREPLY=()
  if [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "${names(commands)} help ${GLOBAL.join(" ")}" -- "$word"))
    return
  fi
  case $command:$before in
${[...values, ...(files.length ? [`    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;`] : [])].join("\n")}
  esac
  local flags= words=
  case $command in
${commands
  .map(({ name, flags, words }) => `    ${name}) flags="${names(flags)} --help" words="${words.join(" ")}" ;;`)
  .join("\n")}
    help) words="${names(commands)}" ;;
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word"))
  else COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word")); fi
}
complete -o filenames -F _mmmlu mmmlu
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  const about = (text: string): string => text.replaceAll(/[[\]:\\]/g, "\\$&");
  const flag = ({ name, description, takesValue, values }: CompletedCommand["flags"][number]): string => {
    const value = takesValue ? `:value:${values.length ? `(${values.join(" ")})` : "_files"}` : "";
    return quoted(`*${name}[${about(description)}]${value}`);
  };
  const words = (all: readonly string[]): string =>
    quoted(`*:argument:_alternative ${all.length ? `"words:word:(${all.join(" ")})" ` : ""}"files:file:_files"`);
  return `#compdef mmmlu
# zsh completion of mmmlu; made by: mmmlu completion zsh
_mmmlu() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '(-)--help[help]' '(-)--version[version]' '--debug[print stack traces]' '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a all=(
${commands.map(({ name, description }) => `        ${quoted(`${name}:${about(description)}`)}`).join("\n")}
      )
      _describe command all ;;
    argument)
      case $words[1] in
${commands
  .map(
    ({ name, flags, words: all }) =>
      `        ${name}) _arguments ${[...flags.map(flag), "'--help[help]'", words(all)].join(" ")} ;;`,
  )
  .join("\n")}
      esac ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _mmmlu "$@"; else compdef _mmmlu mmmlu; fi
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, description, flags, words }) => {
    const within = `complete -c mmmlu -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c mmmlu -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
      ...(words.length ? [`${within} -a ${quoted(words.join(" "))}`] : []),
      ...flags.map((flag) => {
        const value = flag.takesValue ? (flag.values.length ? ` -x -a ${quoted(flag.values.join(" "))}` : " -r") : "";
        return `${within} -l ${flag.name.slice(2)}${value} -d ${quoted(flag.description)}`;
      }),
    ];
  });
  return `# fish completion of mmmlu; made by: mmmlu completion fish
complete -c mmmlu -l debug -d 'print stack traces'
complete -c mmmlu -l help -d help
complete -c mmmlu -n __fish_use_subcommand -l version -d version
${lines.join("\n")}
`;
}
