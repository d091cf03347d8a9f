import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { copyWhole, writeWhole } from "../base/files.js";
import { writeFolderWhole } from "../base/folders.js";
import type { Device } from "../graph/index.js";
import { configText } from "./config-file.js";
import type { Parameter } from "./model.js";
import { type TensorToWrite, writeShardedSafetensors } from "./write-safetensors.js";

/** A model as it is saved. */
export interface ModelToSave {
  /** config.json */
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys of config.json whose number is written as a float; see `configText`. */
  readonly floatKeys?: ReadonlySet<string>;
  /** generation_config.json, where there is one */
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  readonly tensors: readonly TensorToWrite[];
  /** Files copied as they are: the tokenizer's. Those that are not there are left out. */
  readonly files: readonly string[];
}

/** Bytes that a weights file has at most before it is split. */
export const SHARD_BYTES = 5_000_000_000;

/**
 * Saves a model as a folder that transformers' `from_pretrained` loads; whole or not at all.
 * @throws {UserError} where it cannot be written
 */
export async function saveModelFolder(
  folder: string,
  model: ModelToSave,
  { shardBytes = SHARD_BYTES } = {},
): Promise<void> {
  await writeFolderWhole(folder, (place) => {
    for (const file of model.files) if (existsSync(file)) copyWhole(file, join(place, basename(file)));
    if (model.generationConfig) writeWhole(join(place, "generation_config.json"), configText(model.generationConfig));
    writeShardedSafetensors(join(place, "model.safetensors"), model.tensors, shardBytes);
    writeWhole(join(place, "config.json"), configText(model.config, model.floatKeys));
  });
}

/** A parameter as a tensor to write, in float32; read from the device first where it lies there. */
export async function parameterToWrite(device: Device, parameter: Parameter): Promise<TensorToWrite> {
  const elements = await device.read(parameter.array);
  return { name: parameter.name, type: "F32", shape: parameter.shape, elements: () => elements };
}

/** Files of a tokenizer that a saved model takes along. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "spiece.model",
  "added_tokens.json",
  "chat_template.jinja",
];
