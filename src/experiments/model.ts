import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { hashOf } from "../base/canonical.js";
import { UserError } from "../base/errors.js";
import { sha256OfFile } from "../base/files.js";
import { memoryFree } from "../base/memory.js";
import { type Device, deviceDefinition, openDevice } from "../graph/index.js";
import {
  addLora,
  architectureOf,
  type Checkpoint,
  type ConfigFile,
  createTinyDecoder,
  createTinyT5,
  gemma2,
  type LanguageModel,
  type License,
  type LoraSettings,
  leastBytesEach,
  licenseOf,
  modelFromCheckpoint,
  openCheckpoint,
  openConfig,
  readConfigFile,
  storeLinearLayers,
  type TextFormat,
  type TorchDtype,
  t5,
  weightStore,
} from "../models/index.js";
import { loadTokenizer, type Tokenizer } from "../tokens/index.js";
import { checkWeights } from "../train/index.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { type DeviceNeed, type LongestRow, SIMPLEST } from "./device-needs.js";
import { needOn, withWhatFits } from "./device-plan.js";
import { finetuneProtocolOf } from "./presets/index.js";
import { pretrainOnLetters } from "./pretrain-sample.js";
import { SAMPLE, sampleTokenizerFolder } from "./sample.js";

/** A model to train and to ask, with what identifies it. */
export interface ExperimentModel {
  readonly model: LanguageModel;
  readonly device: Device;
  /** How it is held on a device with memory of its own, and what that needs; undefined on the CPU and for the sample. */
  readonly need: DeviceNeed | undefined;
  /** Source, commit and hash: for the manifest, and the key of its replies. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** Of the base; undefined where it is not told. */
  readonly license: License | undefined;
}

/**
 * Loads the model of a fine-tuning experiment, ready to be trained as the configuration says: quantized, with adapters.
 * @param letters of the options that it will be asked about: what a model made on the spot knows
 * @param baseFolder where the sample's tiny model is kept for its adapter: there is no other place to find it again
 * @param longest of the rows that it is to be trained on in this process: then all that training takes must fit the
 * memory; undefined where it is trained elsewhere
 */
export async function loadExperimentModel(
  configuration: FinetuneConfiguration,
  tokenizer: Tokenizer,
  context: RunContext,
  baseFolder: string,
  letters: readonly string[],
  longest?: LongestRow,
): Promise<ExperimentModel> {
  if (configuration.device === "auto") throw new Error("the device was not chosen");
  const { notForTraining } = deviceDefinition(configuration.device);
  if (notForTraining)
    throw new UserError(`the device ${configuration.device} is not for training: ${notForTraining}`, {
      hint: "Use --device webgpu or --device cpu.",
    });
  const device = await openDevice(configuration.device);
  const { source, quantization, doubleQuantization } = configuration.model;
  const need = source === SAMPLE ? undefined : await needOn(device, configuration, context, longest);
  const { model, identity, commit, license } =
    source === SAMPLE
      ? await tinyModel(configuration, tokenizer, device, letters)
      : await realModel(configuration, tokenizer, device, context, longest !== undefined, need?.plan).catch(
          async (error: unknown) => {
            throw longest ? await withWhatFits(error, need, configuration, context, longest) : error;
          },
        );
  if (source === SAMPLE) {
    if (configuration.lora) await model.save(baseFolder);
    const store = weightStore({ kind: quantization, doubleQuantization }, device);
    if (store) await storeLinearLayers(model.weights, store);
  }
  if (configuration.lora)
    await addLora(
      model.weights,
      loraSettingsOf(configuration.lora, source === SAMPLE ? resolve(baseFolder) : source, commit),
      configuration.training.seed,
    );
  return { model, device, need, identity, license };
}

/** A configuration's adapters, as settings of a model's. */
export const loraSettingsOf = (
  { r: rank, alpha, dropout, targetModules: modules }: NonNullable<FinetuneConfiguration["lora"]>,
  base: string,
  revision?: string,
): LoraSettings => ({ rank, alpha, dropout, modules, base, revision });

/** The base of a model that is trained by another program: what identifies it, and where that finds it. */
export interface ExperimentBase extends Pick<ExperimentModel, "identity"> {
  readonly config: ConfigFile;
  /** The hub's commit; undefined for a folder. */
  readonly commit?: string;
  /** SHA-256 of its configuration and weights by file name, where no commit tells which they are. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Opens the base of a fine-tuning experiment without loading its weights.
 * @param baseFolder where the sample's tiny model is written
 * @throws {UserError} where there is none, or the tokenizer does not fit it
 */
export async function experimentBase(
  configuration: FinetuneConfiguration,
  tokenizer: Tokenizer,
  context: RunContext,
  baseFolder: string,
  letters: readonly string[],
): Promise<ExperimentBase> {
  const { source, revision, torchDtype } = configuration.model;
  if (source === SAMPLE) {
    const device = await openDevice("cpu");
    const { model, identity } = await tinyModel(configuration, tokenizer, device, letters);
    await model.save(baseFolder);
    await model.dispose();
    await device.close();
    return { identity, config: await readConfigFile(baseFolder), files: {} };
  }
  const { offline, progress, signal } = context;
  const checkpoint = await openCheckpoint(source, { revision, torchDtype, offline, progress, signal });
  try {
    await checkTokenizer(checkpoint, tokenizer);
    const { config, commit, folder } = checkpoint;
    const [[rows = 0] = []] = architectureOf(config).weightShapes(config).values();
    checkVocabularySize(rows, tokenizer, source);
    const files: Record<string, string> = {};
    for (const name of commit === undefined ? readdirSync(folder).sort() : [])
      if (/^(config\.json|model.*\.safetensors(\.index\.json)?)$/.test(name))
        files[name] = await sha256OfFile(join(folder, name));
    return { config, commit, files, identity: await identityOfCheckpoint(checkpoint, torchDtype) };
  } finally {
    await checkpoint.close();
  }
}

type Loaded = Pick<ExperimentModel, "identity"> &
  Partial<Pick<ExperimentModel, "license">> & { readonly model: LanguageModel; readonly commit?: string };

const SAMPLE_ARCHITECTURES = { t5, gemma: gemma2 } as const;

/** How texts for the experiment's model are written, told before its weights are there. */
export async function textFormatOf(
  configuration: FinetuneConfiguration,
  { offline, progress, signal }: RunContext,
): Promise<TextFormat> {
  const { source, revision } = configuration.model;
  if (source === SAMPLE) return SAMPLE_ARCHITECTURES[finetuneProtocolOf(configuration).sampleModel].text;
  return architectureOf(await openConfig(source, { revision, offline, progress, signal })).text;
}

/** A tiny model made on the spot, the same on every device: it is pretrained on the CPU. */
async function tinyModel(
  configuration: FinetuneConfiguration,
  tokenizer: Tokenizer,
  device: Device,
  letters: readonly string[],
): Promise<Loaded> {
  const { training } = configuration;
  const { sampleModel } = finetuneProtocolOf(configuration);
  const gemma = sampleModel === "gemma";
  const folder = await sampleTokenizerFolder(sampleModel, letters);
  const files = { tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((name) => join(folder, name)) };
  const create = (on: Device) =>
    gemma
      ? createTinyDecoder(on, gemma2, { vocabSize: tokenizer.vocabularySize }, training.seed, files)
      : createTinyT5(
          on,
          { vocabSize: tokenizer.vocabularySize, numDecoderLayers: 1, dropoutRate: training.dropout ?? 0.1 },
          training.seed,
          files,
        );
  const model = await create(device);
  const cpu = device.memory === "host" ? undefined : await openDevice("cpu");
  const pretrained = cpu ? await create(cpu) : model;
  await pretrainOnLetters(pretrained, tokenizer, { training }, letters);
  if (cpu) {
    for (const [index, parameter] of model.parameters.entries()) {
      device.dispose(parameter.array);
      parameter.array = await device.upload(device.array(pretrained.parameters[index]!.array.data, parameter.shape));
    }
    await pretrained.dispose();
    await cpu.close();
  }
  return {
    model,
    identity: {
      source: SAMPLE,
      kind: `tiny ${gemma ? "Gemma 2" : "T5"} that knows what an answer looks like`,
      seed: training.seed,
      shape: hashOf(model.config),
    },
  };
}

async function realModel(
  { model: { source, revision, quantization, doubleQuantization, torchDtype }, lora, training }: FinetuneConfiguration,
  tokenizer: Tokenizer,
  device: Device,
  context: RunContext,
  trainsHere: boolean,
  plan = SIMPLEST,
): Promise<Loaded> {
  const checkpoint = await openCheckpoint(source, {
    revision,
    torchDtype,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
  });
  try {
    // A device's own memory was looked at before.
    if (device.memory === "host")
      checkWeights(
        source,
        checkpoint.weights.elements,
        leastBytesEach(checkpoint, device, { quantization: { kind: quantization }, frozen: lora !== null }),
        trainsHere && lora === null,
        memoryFree(),
      );
    await checkTokenizer(checkpoint, tokenizer);
    const model = await modelFromCheckpoint(checkpoint, device, {
      dropout: training.dropout,
      quantization: { kind: quantization, doubleQuantization },
      expanded: plan.expanded,
      frozen: lora !== null,
      progress: context.progress,
    });
    checkVocabulary(model, tokenizer, checkpoint);
    return {
      model,
      commit: checkpoint.commit,
      license: await licenseOf(checkpoint),
      identity: await identityOfCheckpoint(checkpoint, torchDtype),
    };
  } finally {
    await checkpoint.close();
  }
}

const identityOfCheckpoint = async (
  { source, commit, weights, config }: Checkpoint,
  torchDtype: TorchDtype,
): Promise<ExperimentModel["identity"]> => ({
  source,
  commit: commit ?? null,
  ...(commit ? {} : { weights: await weights.sha256() }),
  ...(torchDtype === "float32" ? {} : { torchDtype }),
  config: hashOf(config.json),
});

const notTogether = (tokenizer: Tokenizer, source: string, why: string): UserError =>
  new UserError(`the tokenizer of ${tokenizer.source} does not fit ${source}: ${why}`, {
    hint: "Set tokenizer.source to the model's own.",
  });

function checkVocabularySize(size: number, tokenizer: Tokenizer, source: string): void {
  if (tokenizer.vocabularySize > size)
    throw notTogether(tokenizer, source, `it has ${tokenizer.vocabularySize} tokens, and the model only ${size}`);
}

/**
 * @throws {UserError} where the tokenizer has tokens that the model has not, or closes texts with another than the
 * model's
 */
function checkVocabulary(model: LanguageModel, tokenizer: Tokenizer, { source }: Checkpoint): void {
  checkVocabularySize(model.vocabularySize, tokenizer, source);
  const end = tokenizer.eosToken ?? "token that ends a text";
  const id = tokenizer.tokenId(end);
  if (id === undefined || !model.endTokens.includes(id))
    throw notTogether(
      tokenizer,
      source,
      `its ${end} is ${id === undefined ? "not there" : `token ${id}`}, and the model's is ` +
        `${model.endTokens.join(" or ")}`,
    );
}

/** @throws {UserError} where the tokenizer that lies beside the weights has other tokens under the same numbers */
async function checkTokenizer({ source, folder, tokenizerFiles }: Checkpoint, tokenizer: Tokenizer): Promise<void> {
  if (!tokenizerFiles.some((path) => basename(path) === "tokenizer.json")) return;
  const own = await loadTokenizer({ source: folder, name: source });
  if (own.sha256 === tokenizer.sha256) return;
  const both = Math.min(own.vocabularySize, tokenizer.vocabularySize);
  for (let id = 0; id < both; id++) {
    const [stored, given] = [own.tokenOf(id), tokenizer.tokenOf(id)];
    if (stored !== given)
      throw notTogether(
        tokenizer,
        source,
        `its token ${id} is ${JSON.stringify(given ?? null)}, and that of the tokenizer beside the weights ` +
          `${JSON.stringify(stored ?? null)}`,
      );
  }
}
