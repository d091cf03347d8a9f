import { basename, resolve } from "node:path";
import { type Command, Option } from "commander";
import { progressOn } from "../base/progress.js";
import { exportGguf, WRITTEN_KINDS, type WrittenKind } from "../models/index.js";
import { savedModelOf } from "../record/index.js";

interface GgufFlags {
  readonly type: string;
  readonly out?: string;
  readonly overwrite?: boolean;
  readonly base?: string;
  readonly revision?: string;
  readonly offline?: boolean;
}

/** What other programs load: a command each. */
export function exportCommand(command: Command): Command {
  command
    .command("gguf")
    .description("write a model as a GGUF file, which llama.cpp, LM Studio and Ollama load")
    .argument("<model>", "a folder, hub id or .gguf file, an adapter's folder, or the folder of a run that trained one")
    .addOption(
      new Option("--type <type>", "what matrices are stored as")
        .choices(WRITTEN_KINDS.map((kind) => kind.toLowerCase()))
        .default("f16"),
    )
    .option("--out <file>", "where it goes (default: <model>-<type>.gguf in the working folder)")
    .option("--overwrite", "replace a file that is there already")
    .option("--base <model>", "hub id, folder or .gguf file of an adapter's base, instead of the one that it names")
    .option("--revision <revision>", "commit, branch or tag of the model on the hub")
    .option("--offline", "no network: everything must be in the cache")
    .action(gguf);
  return command;
}

async function gguf(given: string, flags: GgufFlags): Promise<void> {
  const progress = progressOn();
  const name = basename(resolve(given))
    .replace(/\.gguf$/i, "")
    .replace(/^.*:/, "");
  const out = flags.out ?? `${name}-${flags.type}.gguf`;
  const { tensors, architecture, hasChatTemplate } = await exportGguf(savedModelOf(given), out, {
    kind: flags.type.toUpperCase() as WrittenKind,
    overwrite: flags.overwrite,
    base: flags.base,
    revision: flags.revision,
    offline: flags.offline,
    name,
    progress,
  });
  progress.say(`${tensors} tensors of ${architecture}, matrices as ${flags.type}`);
  if (!hasChatTemplate)
    progress.say(
      "the model has no chat template: as a chat it is asked by whatever template the server takes; ask it by " +
        "completions instead",
    );
  process.stdout.write(`${out}\n`);
}
