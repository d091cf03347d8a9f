import { UserError } from "../base/errors.js";
import { hashOf } from "../base/canonical.js";
import { type Device, openDevice } from "../graph/index.js";
import { createTinyT5, type LocalModel, openCheckpoint, t5FromCheckpoint, type TrainableModel } from "../models/index.js";
import type { Tokenizer } from "../tokens/index.js";
import type { FinetuneConfiguration } from "./configuration.js";
import type { RunContext } from "./context.js";
import { SAMPLE, sampleTokenizerFolder } from "./sample.js";

/** A model to train and to ask, with what identifies it. */
export interface ExperimentModel {
  readonly model: TrainableModel & LocalModel;
  readonly device: Device;
  /** Source, commit and hash: for the manifest, and the key of its replies. */
  readonly identity: Readonly<Record<string, unknown>>;
}

/** Loads the model of a fine-tuning experiment, ready to be trained as the configuration says. */
export async function loadExperimentModel(configuration: FinetuneConfiguration, tokenizer: Tokenizer, context: RunContext): Promise<ExperimentModel> {
  const device = await openDevice(configuration.device);
  const { source, revision } = configuration.model;
  if (source === SAMPLE) {
    const { join } = await import("node:path");
    const folder = await sampleTokenizerFolder(configuration.prompt === "gemma-2" ? "gemma" : "t5");
    const files = { tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((name) => join(folder, name)) };
    const model = await createTinyT5(device, { vocabularySize: tokenizer.vocabularySize, decoderLayers: 1, dropout: configuration.training.dropout ?? 0.1 }, configuration.training.seed, files);
    return { model, device, identity: { source, kind: "tiny T5 with random weights", seed: configuration.training.seed, shape: hashOf(model.config) } };
  }
  const checkpoint = await openCheckpoint(source, { revision, offline: context.offline, progress: context.progress });
  try {
    if (checkpoint.config.modelType !== "t5") throw new UserError(`${source} is a ${checkpoint.config.modelType} model, which this version does not train`);
    const model = await t5FromCheckpoint(checkpoint, device, { dropout: configuration.training.dropout, progress: context.progress });
    checkVocabulary(model, tokenizer, source);
    return { model, device, identity: { source, commit: checkpoint.commit ?? null, config: hashOf(checkpoint.config.json) } };
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
