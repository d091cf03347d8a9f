import { join, resolve } from "node:path";
import { hashOf } from "../base/canonical.js";
import { UserError } from "../base/errors.js";
import { type Device, openDevice } from "../graph/index.js";
import { addLora, createTinyGemma2, createTinyT5, type LanguageModel, type LocalModel, modelFromCheckpoint, openCheckpoint, storeLinearLayers, weightStore } from "../models/index.js";
import type { Tokenizer } from "../tokens/index.js";
import type { FinetuneConfiguration } from "./configuration.js";
import type { RunContext } from "./context.js";
import { SAMPLE, sampleTokenizerFolder } from "./sample.js";

/** A model to train and to ask, with what identifies it. */
export interface ExperimentModel {
  readonly model: LanguageModel;
  readonly device: Device;
  /** Source, commit and hash: for the manifest, and the key of its replies. */
  readonly identity: Readonly<Record<string, unknown>>;
}

/**
 * Loads the model of a fine-tuning experiment, ready to be trained as the configuration says: quantized, with adapters.
 * @param baseFolder where the sample's tiny model is kept for its adapter: there is no other place to find it again
 */
export async function loadExperimentModel(configuration: FinetuneConfiguration, tokenizer: Tokenizer, context: RunContext, baseFolder: string): Promise<ExperimentModel> {
  const device = await openDevice(configuration.device);
  const { source, quantization, doubleQuantization } = configuration.model;
  const { model, identity } = source === SAMPLE ? await tinyModel(configuration, tokenizer, device) : await realModel(configuration, tokenizer, device, context);
  if (source === SAMPLE) {
    if (configuration.lora) await model.save(baseFolder);
    const store = weightStore({ kind: quantization, doubleQuantization }, device);
    if (store) await storeLinearLayers(model.weights, store);
  }
  if (configuration.lora) {
    const { rank, alpha, dropout, modules } = configuration.lora;
    await addLora(model.weights, { rank, alpha, dropout, modules, base: source === SAMPLE ? resolve(baseFolder) : source }, configuration.training.seed);
    await model.recompile();
  }
  return { model, device, identity };
}

type Loaded = Pick<ExperimentModel, "identity"> & { readonly model: LanguageModel };

async function tinyModel({ prompt, training }: FinetuneConfiguration, tokenizer: Tokenizer, device: Device): Promise<Loaded> {
  const gemma = prompt === "gemma-2";
  const folder = await sampleTokenizerFolder(gemma ? "gemma" : "t5");
  const files = { tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((name) => join(folder, name)) };
  const model = gemma
    ? await createTinyGemma2(device, { vocabularySize: tokenizer.vocabularySize }, training.seed, files)
    : await createTinyT5(device, { vocabularySize: tokenizer.vocabularySize, decoderLayers: 1, dropout: training.dropout ?? 0.1 }, training.seed, files);
  return { model, identity: { source: SAMPLE, kind: `tiny ${gemma ? "Gemma 2" : "T5"} with random weights`, seed: training.seed, shape: hashOf(model.config) } };
}

async function realModel({ model: { source, revision, quantization, doubleQuantization }, lora, training }: FinetuneConfiguration, tokenizer: Tokenizer, device: Device, context: RunContext): Promise<Loaded> {
  const checkpoint = await openCheckpoint(source, { revision, offline: context.offline, progress: context.progress, signal: context.signal });
  try {
    const model = await modelFromCheckpoint(checkpoint, device, { dropout: training.dropout, quantization: { kind: quantization, doubleQuantization }, frozen: lora !== null, progress: context.progress });
    checkVocabulary(model, tokenizer, source);
    return { model, identity: { source, commit: checkpoint.commit ?? null, config: hashOf(checkpoint.config.json) } };
  } finally {
    await checkpoint.close();
  }
}

/** @throws {UserError} where the tokenizer has tokens that the model has not */
function checkVocabulary(model: LocalModel, tokenizer: Tokenizer, source: string): void {
  if (tokenizer.vocabularySize > model.vocabularySize) {
    throw new UserError(`the tokenizer of ${tokenizer.source} has ${tokenizer.vocabularySize} tokens, and ${source} only ${model.vocabularySize}: they do not belong together`, { hint: "Set tokenizer.source to the model's own." });
  }
}
