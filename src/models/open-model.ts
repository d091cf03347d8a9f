import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "../graph/index.js";
import { UserError } from "../base/errors.js";
import type { Progress } from "../base/progress.js";
import { gemma2FromCheckpoint } from "./gemma2/load.js";
import type { LocalModel } from "./generate.js";
import { type Checkpoint, openCheckpoint, type OpenCheckpointOptions } from "./load.js";
import { isAdapterFolder, loadAdapter, readAdapterSettings } from "./lora/index.js";
import type { TrainableModel } from "./model.js";
import { type QuantizationOptions, type WeightStore, weightStore } from "./quantize/index.js";
import { t5FromCheckpoint } from "./t5/load.js";
import type { Weights } from "./weights.js";

/** What every architecture here gives: a model to train and to ask, over its weights. */
export type LanguageModel = TrainableModel & LocalModel & {
  readonly weights: Weights;
  /** Forgets the compiled graphs: to be called after adapters came or went. */
  recompile(): Promise<void>;
};

/** A model of any supported architecture, with where it came from. */
export interface OpenedModel {
  readonly model: LanguageModel;
  /** The folder of its files; the tokenizer's are among them. */
  readonly folder: string;
  /** The hub's commit; undefined for a folder. */
  readonly commit?: string;
}

/**
 * Opens a model by its folder, hub id, or the output folder of a run that saved one.
 * @throws {UserError} where there is none, or its architecture is not supported
 */
export async function openModel(source: string, device: Device, options: OpenCheckpointOptions = {}): Promise<OpenedModel> {
  const saved = join(source, "model");
  if (existsSync(join(source, "run.json")) && !existsSync(saved)) throw new UserError(`${source} is a run that saved no model`, { hint: "Only fine-tuning runs that came to their end have one." });
  const place = existsSync(join(source, "run.json")) ? saved : source;
  const adapter = isAdapterFolder(place) ? await readAdapterSettings(place) : undefined;
  if (adapter && !adapter.base) throw new UserError(`${place}: adapter_config.json names no base_model_name_or_path`, { hint: "Write the base model's folder or hub id into it." });
  const checkpoint = await openCheckpoint(adapter?.base ?? place, options);
  try {
    const model = await modelFromCheckpoint(checkpoint, device, { frozen: true, progress: options.progress });
    if (adapter) await loadAdapter(model.weights, place);
    return { model, folder: adapter && existsSync(join(place, "tokenizer.json")) ? place : checkpoint.folder, commit: checkpoint.commit };
  } finally {
    await checkpoint.close();
  }
}

export interface ModelOptions {
  /** Dropout of the model itself instead of what config.json says; Gemma 2 has none. */
  readonly dropout?: number | null;
  readonly quantization?: QuantizationOptions;
  /** Whether the model's own weights stay as they are. */
  readonly frozen?: boolean;
  readonly progress?: Progress;
}

/** A model of the checkpoint's architecture, its linear layers held as the quantization says. */
export async function modelFromCheckpoint(checkpoint: Checkpoint, device: Device, { dropout, quantization, frozen, progress }: ModelOptions = {}): Promise<LanguageModel> {
  const store = quantization && weightStore(quantization, device);
  switch (checkpoint.config.modelType) {
    case "gemma2":
      return gemma2FromCheckpoint(checkpoint, device, { store, frozen, progress });
    case "t5": {
      const model = await t5FromCheckpoint(checkpoint, device, { dropout, progress });
      if (store) await storeLinearLayers(model.weights, store);
      return model;
    }
    default:
      return checkpoint.config.modelType satisfies never;
  }
}

/** Puts stored weights in the place of a model's float32 linear layers. */
export async function storeLinearLayers(weights: Weights, store: WeightStore): Promise<void> {
  for (const [layer, shape] of weights.linearLayers) {
    const name = `${layer}.weight`;
    const elements = (await weights.device.read(weights.get(name).array)) as Float32Array;
    weights.store(name, await store(name, shape, elements, weights.device));
  }
}
