import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../base/errors.js";
import { progressOn } from "../base/progress.js";
import {
  configure,
  type ExperimentConfiguration,
  onSample,
  type RunContext,
  SAMPLE,
  type Setting,
} from "../experiments/index.js";
import { languagesAmong, taskOfSource } from "../tasks/index.js";
import { type ExperimentFlags, ROOM } from "./experiment-flags.js";
import { notice } from "./options.js";

/** The configuration that a name or file and the flags make. */
export async function configurationOf(nameOrFile: string, flags: ExperimentFlags): Promise<ExperimentConfiguration> {
  if (flags.sample && flags.data !== undefined && flags.data !== SAMPLE)
    throw new UsageError("--sample and --data name two sources", { hint: "Give one of them." });
  const first = await configure(nameOrFile, [], { notice });
  const sampled = flags.sample || flags.data === SAMPLE;
  const model = first.kind === "evaluate" ? "answerer.model" : "model.source";
  const settings: Setting[] = [
    ...flagged("data.source", "--data", sampled ? undefined : flags.data),
    ...(sampled || flags.data === undefined ? [] : languagesOf(flags.data, first)),
    ...flagged("data.revision", "--revision", flags.revision),
    ...flagged("data.languages", "--languages", flags.languages, (text) =>
      text
        .split(",")
        .map((one) => one.trim())
        .filter(Boolean),
    ),
    ...flagged("data.limit", "--limit", flags.limit, numberIn),
    ...flagged(first.kind === "evaluate" ? "answerer.device" : "device", "--device", flags.device),
    ...flagged(model, "--model", flags.model),
    ...(sampled ? [] : tokenizerOf(flags.model, first)),
    ...flags.set,
  ];
  return configure(sampled ? onSample(first) : first, settings, { notice });
}

/** All languages of a source where the experiment's own are not there, or nobody can say before it is read. */
function languagesOf(source: string, { data }: ExperimentConfiguration): Setting[] {
  const { languages } = taskOfSource(source);
  const found = languagesAmong(data.languages ?? [], Object.keys(languages));
  return found.includes(undefined) ? [{ path: "data.languages", value: null, flag: `--data ${source}` }] : [];
}

/** The tokenizer of another model to train, where the experiment's is its model's own and the other has one too. */
function tokenizerOf(model: string | undefined, experiment: ExperimentConfiguration): Setting[] {
  if (model === undefined || experiment.kind !== "finetune") return [];
  if (experiment.tokenizer.source !== experiment.model.source) return [];
  const has = !existsSync(model) || !statSync(model).isDirectory() || existsSync(join(model, "tokenizer.json"));
  return has ? [{ path: "tokenizer.source", value: model, flag: `--model ${model}` }] : [];
}

/** A number where a text is one; else the text, which the schema refuses. */
const numberIn = (text: string): unknown => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));

/** The setting that a flag stands for, where it is given. */
function flagged(
  path: string,
  flag: string,
  text: string | undefined,
  read: (text: string) => unknown = (whole) => whole,
): Setting[] {
  return text === undefined ? [] : [{ path, value: read(text), flag: `${flag} ${text}` }];
}

/** What a run is given: the terminal's progress, Ctrl-C, the environment. */
export function contextOf(flags: ExperimentFlags): RunContext & { done(): void } {
  const abort = new AbortController();
  let pressed = 0;
  const interrupt = (): void => {
    if (++pressed > 1) process.exit(130);
    process.stderr.write("\nstopping after what is under way; what was done is kept (Ctrl-C again stops at once)\n");
    abort.abort(new Error("interrupted"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return {
    out: flags.out,
    fresh: flags.fresh,
    offline: flags.offline,
    wandb: flags.wandb,
    again: flags.again && { what: flags.again, room: flags.room ?? ROOM },
    progress: progressOn(),
    signal: abort.signal,
    environment: process.env,
    choose: process.stdin.isTTY && process.stderr.isTTY ? choose : undefined,
    done: () => {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    },
  };
}

/** A configuration of the kind that a command takes. @throws {UsageError} for any other */
export function ofKind<K extends ExperimentConfiguration["kind"]>(
  experiment: string,
  configuration: ExperimentConfiguration,
  kind: K,
): Extract<ExperimentConfiguration, { kind: K }> {
  if (configuration.kind === kind) return configuration as Extract<ExperimentConfiguration, { kind: K }>;
  throw new UsageError(`${experiment}: kind is ${configuration.kind}, and this command takes ${kind}`, {
    hint: `mmmlu run ${experiment} runs it.`,
  });
}

/** Asks on the terminal for one of some words, by its first letters; no answer, or Ctrl-C, is the first of them. */
async function choose(question: string, choices: readonly string[]): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new AbortController();
  terminal.once("SIGINT", () => ended.abort());
  try {
    const said = await terminal.question(`${question} (${choices.join(" or ")}) `, { signal: ended.signal });
    const word = said.trim().toLowerCase();
    return choices.find((choice) => word !== "" && choice.startsWith(word)) ?? choices[0]!;
  } catch {
    return choices[0]!;
  } finally {
    terminal.close();
  }
}
