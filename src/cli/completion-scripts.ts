/** Shells whose completion is known. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A flag as a completion shows it. */
export interface CompletedFlag {
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** The values that it may have, where they are known. */
  readonly values: readonly string[];
  /** Whether it takes one of them, several with commas between them, or one as a key before `=`. */
  readonly kind: "one" | "list" | "key";
}

/** A command as a completion shows it. */
export interface CompletedCommand {
  /** Such as `run`, or `export gguf` of a command in a command. */
  readonly name: string;
  readonly description: string;
  readonly flags: readonly CompletedFlag[];
  /** What may stand as an argument beside files and folders. */
  readonly words: readonly string[];
}

/** The completion script of a shell: commands, their flags, the flags' values, and files elsewhere. */
export const script = (shell: Shell, commands: readonly CompletedCommand[]): string =>
  ({ bash, zsh, fish })[shell](commands);

const GLOBAL = ["--debug", "--help", "--version"];
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const names = (all: readonly { readonly name: string }[]): string => all.map(({ name }) => name).join(" ");
/** Commands that stand behind no other, and those that hold further ones. */
const outer = (commands: readonly CompletedCommand[]): CompletedCommand[] =>
  commands.filter(({ name }) => !name.includes(" "));
const holders = (commands: readonly CompletedCommand[]): string[] => [
  ...new Set(commands.flatMap(({ name }) => (name.includes(" ") ? [name.split(" ")[0]!] : []))),
];

function bash(commands: readonly CompletedCommand[]): string {
  const how = ({ kind, values }: CompletedFlag): string => {
    if (kind === "list")
      return `[[ $word == *,* ]] && begun=\${word%,*},; COMPREPLY=($(compgen -P "$begun" -W "${values.join(" ")}" -- "\${word##*,}")); compopt +o filenames -o nospace 2>/dev/null`;
    if (kind === "key")
      return `COMPREPLY=($(compgen -S = -W "${values.join(" ")}" -- "$word")); compopt +o filenames -o nospace 2>/dev/null`;
    return `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$word"))`;
  };
  // The flags' values are the same wherever they stand: told once for all commands.
  const places = new Map<string, string[]>();
  for (const { name, flags } of commands)
    for (const flag of flags.filter(({ values }) => values.length))
      places.set(how(flag), [...(places.get(how(flag)) ?? []), `"${name}:${flag.name}"`]);
  const values = [...places].map(([code, at]) => `    ${at.join("|")}) ${code}; return ;;`);
  const files = commands.flatMap(({ name, flags }) =>
    flags.filter((flag) => flag.takesValue && !flag.values.length).map((flag) => `"${name}:${flag.name}"`),
  );
  return `# bash completion of mmmlu; made by: mmmlu completion bash
_mmmlu() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command= begun= at
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ \${COMP_WORDS[at]} == -* ]] && continue
    case $command in
      '') command=\${COMP_WORDS[at]} ;;
      ${holders(commands).join("|") || "-"}) command+=" \${COMP_WORDS[at]}" ;;
    esac
  done
  COMPREPLY=()
  if [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "${names(outer(commands))} help ${GLOBAL.join(" ")}" -- "$word"))
    return
  fi
  case $command:$before in
${[...values, ...(files.length ? [`    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;`] : [])].join("\n")}
  esac
  local flags= words=
  case $command in
${commands
  .map(({ name, flags, words }) => `    "${name}") flags="${names(flags)} --help" words="${words.join(" ")}" ;;`)
  .join("\n")}
    help) words="${names(outer(commands))}" ;;
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word"))
  else COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word")); fi
}
complete -o filenames -F _mmmlu mmmlu
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  const about = (text: string): string => text.replaceAll(/[[\]:\\]/g, "\\$&");
  const action = ({ values, kind }: CompletedFlag): string => {
    if (values.length === 0) return "_files";
    if (kind === "list") return `_values -s , value ${values.join(" ")}`;
    return kind === "key" ? ` compadd -S = -- ${values.join(" ")}` : `(${values.join(" ")})`;
  };
  const flag = (one: CompletedFlag): string =>
    quoted(`*${one.name}[${about(one.description)}]${one.takesValue ? `:value:${action(one)}` : ""}`);
  const words = (all: readonly string[]): string =>
    quoted(`*:argument: _alternative ${all.length ? `"words:word:(${all.join(" ")})" ` : ""}"files:file:_files"`);
  return `#compdef mmmlu
# zsh completion of mmmlu; made by: mmmlu completion zsh
_mmmlu() {
  local context state state_descr line command
  typeset -A opt_args
  _arguments -C '(-)--help[help]' '(-)--version[version]' '--debug[print stack traces]' '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a all=(
${outer(commands)
  .map(({ name, description }) => `        ${quoted(`${name}:${about(description)}`)}`)
  .join("\n")}
      )
      _describe command all ;;
    argument)
      command=$words[1]
      if [[ $command == (${holders(commands).join("|")}) ]] && (( CURRENT > 2 )); then
        command="$command $words[2]"
        shift words
        (( CURRENT-- ))
      fi
      case $command in
${commands
  .map(
    ({ name, flags, words: all }) =>
      `        ${quoted(name)}) _arguments ${[...flags.map(flag), "'--help[help]'", words(all)].join(" ")} ;;`,
  )
  .join("\n")}
      esac ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _mmmlu "$@"; else compdef _mmmlu mmmlu; fi
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const value = ({ takesValue, values, kind }: CompletedFlag): string => {
    if (!takesValue) return "";
    if (values.length === 0) return " -r";
    if (kind === "list") return ` -x -a ${quoted(`(__fish_append , ${values.join(" ")})`)}`;
    return ` -x -a ${quoted((kind === "key" ? values.map((one) => `${one}=`) : values).join(" "))}`;
  };
  const lines = commands.flatMap(({ name, description, flags, words }) => {
    const seen = name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
    const holds = holders(commands).includes(name);
    const last = holds ? [`not __fish_seen_subcommand_from ${words.join(" ")}`] : [];
    const within = `complete -c mmmlu -n ${quoted([...seen, ...last].join("; and "))}`;
    return [
      ...(seen.length === 1
        ? [`complete -c mmmlu -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`]
        : []),
      ...(words.length ? [`${within}${holds ? " -f" : ""} -a ${quoted(words.join(" "))}`] : []),
      ...flags.map((flag) => `${within} -l ${flag.name.slice(2)}${value(flag)} -d ${quoted(flag.description)}`),
    ];
  });
  return `# fish completion of mmmlu; made by: mmmlu completion fish
complete -c mmmlu -l debug -d 'print stack traces'
complete -c mmmlu -l help -d help
complete -c mmmlu -n __fish_use_subcommand -l version -d version
${lines.join("\n")}
`;
}
