import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { UserError } from "../../base/errors.js";
import { copyWhole, sha256OfFile, writeWhole } from "../../base/files.js";
import { refuseOccupied, writeFolderWhole } from "../../base/folders.js";
import { writeJsonWhole } from "../../base/json.js";
import { writeJsonLines } from "../../base/json-lines.js";
import { isGguf } from "../../gguf/index.js";
import { architectureOf, type Example, linearLayersOf, NOT_DECAYED, writeAdapterStart } from "../../models/index.js";
import { type BatchPlan, batchesOfStep, learningRateAt, stepsPerEpoch, totalSteps } from "../../train/index.js";
import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { RunContext } from "../context.js";
import { type ExperimentBase, experimentBase, loraSettingsOf } from "../model.js";
import { prepare } from "../prepare.js";
import { allExamplesOf, trainedElsewhere, trainingIdentity, trainingOptionsOf } from "../run-finetune.js";
import { SAMPLE } from "../sample.js";
import { BUNDLE, BUNDLE_FORMAT, ENGINE_FILES, engineFile, type Job } from "./format.js";

/** A step of training as an engine is told it. */
export interface BundleStep {
  readonly step: number;
  readonly learningRate: number;
  /** Row numbers in train.jsonl; the mean is over the target tokens of all of them. */
  readonly rows: readonly number[];
}

const planOf = ({ training }: FinetuneConfiguration, rows: number): BatchPlan => ({ ...training, rows });

/** The steps of a fine-tuning run, as this program's own engine takes them. */
export function* stepsOf(configuration: FinetuneConfiguration, rows: number): Generator<BundleStep> {
  const plan = planOf(configuration, rows);
  const schedule = { ...trainingOptionsOf(configuration), totalSteps: totalSteps(plan) };
  for (let step = 0; step < schedule.totalSteps; step++)
    yield {
      step: step + 1,
      learningRate: learningRateAt(schedule, step),
      rows: batchesOfStep(plan, step).flat(),
    };
}

/** The lines of a file of rows. */
export const rowLines = (examples: readonly Example[]): Iterable<Example> =>
  examples.map(({ id, input, target }) => ({ id, input, target }));

/** What a bundle's folder holds. */
const OWN_NAMES = new Set<string>([...Object.values(BUNDLE), ...ENGINE_FILES]);

/** What a bundle says and how large it is. */
export interface WrittenBundle {
  readonly folder: string;
  readonly job: Job;
  /** SHA-256 of job.json, by which a run knows its bundle. */
  readonly rows: number;
}

/**
 * Writes all that another program needs to train an experiment as this one would: plain files, the same for the same
 * experiment. A bundle that was there is replaced.
 * @throws {UserError} where the experiment cannot be trained elsewhere, the folder holds something else, or it cannot
 * be written
 */
export async function exportTraining(
  configuration: FinetuneConfiguration,
  context: RunContext,
  out: string,
): Promise<WrittenBundle> {
  refuse(configuration);
  refuseOccupied(out, (name) => OWN_NAMES.has(name));
  const prepared = await prepare(configuration, context);
  const examples = await allExamplesOf(configuration, prepared, context);
  if (examples.train.length === 0)
    throw new UserError("there is no row to train on", { hint: "Take more rows, or a wider length filter." });
  if (configuration.training.validateEachEpoch && examples.validation.length === 0)
    throw new UserError("training.validateEachEpoch needs validation rows, and the split has none", {
      hint: "Set training.validateEachEpoch=false, or take more rows.",
    });
  let job: Job | undefined;
  await writeFolderWhole(out, async (folder) => {
    const at = (...names: string[]): string => join(folder, ...names);
    const tokenizer = await prepared.loadTokenizer();
    const base = await experimentBase(configuration, tokenizer, context, at(BUNDLE.base), prepared.letters());
    refuseBase(configuration, base);
    writeJsonLines(at(BUNDLE.train), rowLines(examples.train));
    writeJsonLines(at(BUNDLE.validation), rowLines(examples.validation));
    writeJsonLines(at(BUNDLE.steps), stepsOf(configuration, examples.train.length));
    const architecture = architectureOf(base.config);
    const kind = architecture.text.oneSequence ? "causal-lm" : "seq2seq-lm";
    const { source } = configuration.model;
    if (configuration.lora)
      writeAdapterStart(
        at(BUNDLE.adapter),
        linearLayersOf([...architecture.weightShapes(base.config)].map(([name, shape]) => ({ name, shape }))),
        loraSettingsOf(configuration.lora, source === SAMPLE ? "" : source, base.commit),
        kind === "causal-lm" ? "CAUSAL_LM" : "SEQ_2_SEQ_LM",
        configuration.training.seed,
      );
    const adapter = configuration.lora ? [`${BUNDLE.adapter}/adapter_model.safetensors`] : [];
    const files: Record<string, string> = {};
    for (const name of [BUNDLE.train, BUNDLE.validation, BUNDLE.steps, ...adapter])
      files[name] = await sha256OfFile(at(name));
    const identity = trainingIdentity(trainedElsewhere(configuration), prepared, tokenizer, base.identity);
    job = { ...jobOf(configuration, base, examples.train.length, kind, identity), files };
    writeJsonWhole(at(BUNDLE.job), job);
    await sealBundle(folder);
  });
  return { folder: out, job: job as Job, rows: examples.train.length };
}

/** Puts the engine into a bundle, and last the hashes of all its files. */
export async function sealBundle(folder: string): Promise<void> {
  for (const name of ENGINE_FILES) copyWhole(engineFile(name), join(folder, name));
  const sums: string[] = [];
  for (const { name, path } of filesOfBundle(folder)) sums.push(`${await sha256OfFile(path)}  ${name}\n`);
  writeWhole(join(folder, BUNDLE.sums), sums.join(""));
}

/** A bundle's files, in the order of their names, which have `/` between folders. */
export const filesOfBundle = (folder: string): { readonly name: string; readonly path: string }[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: relative(folder, path).replaceAll("\\", "/") }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

function jobOf(
  configuration: FinetuneConfiguration,
  { config, commit, files }: ExperimentBase,
  rows: number,
  kind: Job["kind"],
  identity: string,
): Omit<Job, "files"> {
  const { model, training, lora } = configuration;
  const plan = planOf(configuration, rows);
  const token = (name: string): number | undefined => {
    const id = config.json[name];
    return typeof id === "number" ? id : undefined;
  };
  const padTokenId = token("pad_token_id") ?? 0;
  const inBundle = model.source === SAMPLE;
  return {
    format: BUNDLE_FORMAT,
    name: configuration.name,
    identity,
    kind,
    model: {
      source: inBundle ? BUNDLE.base : model.source,
      inBundle,
      revision: commit ?? null,
      files,
      modelType: config.modelType ?? "",
      // The sample's model is made in float32, not read.
      torchDtype: inBundle ? "float32" : model.torchDtype,
      quantization: model.quantization as Job["model"]["quantization"],
      doubleQuantization: model.doubleQuantization,
      padTokenId,
      startTokenId: kind === "seq2seq-lm" ? (token("decoder_start_token_id") ?? padTokenId) : null,
    },
    lora: lora && { ...lora },
    training: {
      epochs: training.epochs,
      steps: totalSteps(plan),
      stepsPerEpoch: stepsPerEpoch(plan),
      batchSize: training.batchSize,
      betas: training.adamBetas,
      epsilon: training.adamEpsilon,
      weightDecay: training.weightDecay,
      notDecayed: NOT_DECAYED,
      maxGradNorm: training.maxGradNorm,
      dropout: training.dropout,
      seed: training.seed,
      loggingSteps: training.loggingSteps,
      saveSteps: training.saveSteps,
      validateEachEpoch: training.validateEachEpoch,
      keepBest: training.loadBestModelAtEnd,
      earlyStoppingPatience: training.earlyStoppingPatience,
    },
  };
}

/** @throws {UserError} for what PyTorch's libraries would train otherwise, before anything is read */
function refuse({ model }: FinetuneConfiguration): void {
  if (model.quantization === "int8")
    throw new UserError("model.quantization=int8 cannot be trained elsewhere: bitsandbytes rounds products otherwise", {
      hint: "Set model.quantization to none, fp4 or nf4.",
    });
  if (isGguf(model.source))
    throw new UserError(`${model.source} is a GGUF file, which cannot be trained elsewhere`, {
      hint: "Set model.source to the model that it was made of, as a hub id or folder.",
    });
}

/** @throws {UserError} for architectures that transformers and PEFT compute or name otherwise */
function refuseBase({ model }: FinetuneConfiguration, { config }: ExperimentBase): void {
  const { title, modelTypes } = architectureOf(config);
  if (config.modelType !== modelTypes[0])
    throw new UserError(`${model.source} is a model of more than text (${config.modelType})`, {
      hint: `Elsewhere only the text model alone is trained: ${title}, model_type ${modelTypes[0]}.`,
    });
  if (model.quantization !== "none" && config.json["feed_forward_proj"] === "relu")
    throw new UserError(`${model.source} is a first T5, whose 4-bit weights transformers cannot train`, {
      hint: "Set model.quantization=none, or take T5 v1.1 or Flan-T5.",
    });
}
