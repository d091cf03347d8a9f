import { basename, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { UsageError } from "../base/errors.js";
import { progressOn } from "../base/progress.js";
import { exportBatch, exportHub, exportTraining } from "../experiments/index.js";
import { exportGguf, exportOnnx, ONNX_TYPES, type OnnxType, WRITTEN_KINDS, type WrittenKind } from "../models/index.js";
import { savedModelOf } from "../record/index.js";
import { configurationOf, contextOf, ofKind } from "./context.js";
import { type ExperimentFlags, withExperimentFlags } from "./experiment-flags.js";
import { exportResultsCommands } from "./export-results.js";
import { wholeNumber } from "./options.js";

interface ModelFlags {
  readonly type: string;
  readonly out?: string;
  readonly base?: string;
  readonly revision?: string;
  readonly offline?: boolean;
}

const MODEL = "a folder, hub id or .gguf file, an adapter's folder, or the folder of a run that trained one";

/** Flags of a command that opens any model. */
const withModelFlags = (command: Command): Command =>
  command
    .option("--base <model>", "hub id, folder or .gguf file of an adapter's base, instead of the one that it names")
    .option("--revision <revision>", "commit, branch or tag of the model on the hub")
    .option("--offline", "no network: everything must be in the cache");

/** What other programs load: a command each. */
export function exportCommand(command: Command): Command {
  const gguf = command
    .command("gguf")
    .description("write a model as a GGUF file, which llama.cpp, LM Studio and Ollama load")
    .argument("<model>", MODEL)
    .addOption(
      new Option("--type <type>", "what matrices are stored as")
        .choices(WRITTEN_KINDS.map((kind) => kind.toLowerCase()))
        .default("f16"),
    )
    .option("--out <file>", "where it goes (default: <model>-<type>.gguf in the working folder)")
    .option("--overwrite", "replace a file that is there already");
  withModelFlags(gguf).action(writeGguf);
  const onnx = command
    .command("onnx")
    .description("write a model as a folder that transformers.js loads, for Node and browsers")
    .argument("<model>", MODEL)
    .addOption(
      new Option("--type <type>", "what matrices are stored as: float32, 8 bits in blocks, or a file of each")
        .choices([...ONNX_TYPES, BOTH])
        .default("q8"),
    )
    .option("--out <folder>", "where it goes (default: <model>-onnx in the working folder)");
  withModelFlags(onnx).action(writeOnnx);
  command
    .command("hub")
    .description("write a run's model as a folder that is ready to be uploaded to the Hugging Face hub, with its card")
    .argument("<run>", "the folder of a run that trained a model")
    .option("--out <folder>", "where it goes (default: <name of the run>-hub in the working folder)")
    .option("--base <hub id>", "the hub id of the base, where the run was trained on a folder of it")
    .action(writeHub);
  withExperimentFlags(
    command
      .command("training")
      .description("write a bundle that PyTorch trains on any machine, whose results mmmlu import training takes over")
      .argument("<experiment>", "a fine-tuning preset's name or a configuration file"),
    { out: "the bundle's folder" },
  ).action(training);
  withExperimentFlags(
    command
      .command("batch")
      .description(
        "write an evaluation's requests as OpenAI's batch files, whose results mmmlu import batch takes over",
      )
      .argument("<experiment>", "an evaluation's preset or a configuration file")
      .option("--requests-per-file <number>", "so many in a file at most; OpenAI takes 50,000", wholeNumber),
    { out: "the folder of the files" },
  ).action(batch);
  return exportResultsCommands(command);
}

const BOTH = "both";

async function writeOnnx(given: string, { type, out = `${nameOf(given)}-onnx`, ...flags }: ModelFlags): Promise<void> {
  const progress = progressOn();
  const types = type === BOTH ? ONNX_TYPES : [type as OnnxType];
  const { architecture, files } = await exportOnnx(savedModelOf(given), out, { ...flags, types, progress });
  progress.say(`${architecture}: ${files.filter((name) => name.startsWith("onnx/")).join(", ")}`);
  process.stdout.write(`${out}\n`);
}

async function writeHub(run: string, flags: { readonly out?: string; readonly base?: string }): Promise<void> {
  const progress = progressOn();
  const out = flags.out ?? `${basename(resolve(run))}-hub`;
  const { license } = await exportHub(run, out, { base: flags.base, progress });
  if (license === undefined)
    progress.say("the licence of the base is not known: write it into the card (README.md, license) before you upload");
  process.stdout.write(`${out}\n`);
}

/** What a model is called: the last part of where it is. */
const nameOf = (given: string): string =>
  basename(resolve(given))
    .replace(/\.gguf$/i, "")
    .replace(/^.*:/, "");

async function writeGguf(given: string, flags: ModelFlags & { readonly overwrite?: boolean }): Promise<void> {
  const progress = progressOn();
  const name = nameOf(given);
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

async function training(experiment: string, flags: ExperimentFlags): Promise<void> {
  if (flags.out === undefined)
    throw new UsageError("export training needs a folder for the bundle", { hint: "Give one with --out." });
  const configuration = ofKind(experiment, await configurationOf(experiment, flags), "finetune");
  const context = contextOf(flags);
  try {
    const { job, rows } = await exportTraining(configuration, context, flags.out);
    const { steps, epochs } = job.training;
    process.stdout.write(
      `${rows.toLocaleString("en")} rows, ${steps.toLocaleString("en")} steps in ${epochs} ` +
        `${epochs === 1 ? "epoch" : "epochs"}; train it on a machine that has its requirements.txt:\n` +
        `  torchrun --nproc-per-node 8 ${join(flags.out, "train.py")} --out RUN --processes 8\n` +
        `  mmmlu import training ${experiment} RUN\n${flags.out}\n`,
    );
  } finally {
    context.done();
  }
}

async function batch(experiment: string, flags: ExperimentFlags & { requestsPerFile?: number }): Promise<void> {
  if (flags.out === undefined)
    throw new UsageError("export batch needs a folder for its files", { hint: "Give one with --out." });
  const configuration = ofKind(experiment, await configurationOf(experiment, flags), "evaluate");
  const context = contextOf(flags);
  try {
    const { files, requests, questions, url } = await exportBatch(
      configuration,
      context,
      flags.out,
      flags.requestsPerFile,
    );
    process.stdout.write(
      `${requests.toLocaleString("en")} requests of ${questions.toLocaleString("en")} questions for ${url}\n`,
    );
    for (const { name, bytes } of files)
      process.stdout.write(`${join(flags.out, name)} (${(bytes / 1e6).toFixed(1)} MB)\n`);
  } finally {
    context.done();
  }
}
