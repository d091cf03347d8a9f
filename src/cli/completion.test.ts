import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "./commands.js";
import { completedCommands } from "./completion.js";
import { type CompletedCommand, SHELLS, script } from "./completion-scripts.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-completion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let all: CompletedCommand[];
beforeAll(async () => {
  all = await completedCommands();
  for (const shell of SHELLS) writeFileSync(join(folder, shell), script(shell, all));
});

const installed = (shell: string): boolean => {
  try {
    execFileSync(shell, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn(`Skipped: completion in ${shell}, which is not installed`);
    return false;
  }
};

/** What each shell offers for the last word of a line. */
const offered: Record<string, (line: readonly string[]) => string[]> = {
  bash: (line) =>
    run(
      "bash",
      `source ./bash; COMP_WORDS=(${words(line)}); COMP_CWORD=${line.length - 1}; _mmmlu; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ),
  fish: (line) =>
    run("fish", `source ./fish; complete -C ${quoted(line.join(" "))}`).map((found) => found.split("\t")[0]!),
};
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
const words = (line: readonly string[]): string => line.map(quoted).join(" ");
const run = (shell: string, code: string): string[] =>
  execFileSync(shell, ["-c", code], { cwd: folder, encoding: "utf8", env: { ...process.env, HOME: folder } })
    .split("\n")
    .filter(Boolean);

it("knows every command with its flags", () => {
  const outer = all.map(({ name }) => name).filter((name) => !name.includes(" "));
  expect(outer).toEqual(commands.map(({ name }) => name));
  expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(["export gguf", "import training"]));
  const flags = all.find(({ name }) => name === "run")!.flags;
  expect(flags.find(({ name }) => name === "--wandb")).toMatchObject({ values: ["online", "offline", "disabled"] });
  expect(flags.map(({ name }) => name)).toContain("--json");
});

describe.each(Object.keys(offered).filter(installed))("in %s", (shell) => {
  const offer = (...line: string[]): string[] => offered[shell]!(["mmmlu", ...line]).sort();

  it("completes commands, presets, flags and their values", () => {
    expect(offer("val")).toEqual(["validate"]);
    expect(offer("run", "gemma-2")).toEqual(["gemma-2-2b-finetune"]);
    expect(offer("run", "--wand")).toEqual(["--wandb"]);
    expect(offer("run", "--wandb", "o")).toEqual(["offline", "online"]);
    expect(offer("completion", "z")).toContain("zsh");
  });

  it("completes commands of commands, keys, languages and devices", () => {
    expect(offer("export", "gg")).toEqual(["gguf"]);
    expect(offer("export", "batch", "--req")).toEqual(["--requests-per-file"]);
    expect(offer("export", "hub", "--req")).toEqual([]);
    expect(offer("run", "--set", "training.ep")).toEqual(["training.epochs="]);
    expect(offer("run", "--languages", "DE")).toEqual(["DE_DE"]);
    expect(offer("run", "--languages", "DE_DE,F")).toEqual(["DE_DE,FR_FR"]);
    expect(offer("run", "--device", "web")).toEqual(["webgpu"]);
  });

  it("completes no flag of another command", () => {
    expect(offer("list", "--wand")).toEqual([]);
  });
});

it.skipIf(!installed("zsh"))("is read by zsh, in a terminal of its own", () => {
  // zpty gives the completion the line editor that it lives in.
  const code = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= ; autoload -Uz compinit; compinit -D; source ./zsh; zstyle ':completion:*' list-prompt ''; print ready-\\$((1+1))"
zpty -r -m z line '*ready-2*'
for line in 'mmmlu run --wandb of' 'mmmlu run --set training.ep' 'mmmlu run --languages DE_DE,F' 'mmmlu export gg' 'mmmlu run gemma-2'; do
  zpty -w -n z $line$'\\t'
  sleep 1
  zpty -w -n z $'\\025'
done
sleep 1
while zpty -r -t z line; do print -r -- $line; done
zpty -d z`;
  const out = execFileSync("zsh", ["-f", "-c", code], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, HOME: folder, TERM: "dumb" },
  });
  for (const word of ["offline", "training.epochs=", "DE_DE,FR_FR", "export gguf", "gemma-2-2b-finetune"])
    expect(out).toContain(word);
  expect(out).not.toContain("bad option");
});
