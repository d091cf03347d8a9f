import { existsSync } from "node:fs";
import { join } from "node:path";
import { hashOf } from "../base/canonical.js";
import { sha256OfFile } from "../base/files.js";
import { type Checkpoint, openCheckpoint } from "./load.js";
import { isAdapterFolder, openBase, quantizationFor, readAdapterSettings } from "./lora/index.js";
import type { OpenModelOptions } from "./open-model.js";
import type { QuantizationOptions } from "./quantize/index.js";
import { TOKENIZER_FILES } from "./save.js";

/** What a model is, told before its weights are loaded. */
export interface ModelDescription {
  /** The folder of the tokenizer's files. */
  readonly folder: string;
  /** How its linear layers will be held. */
  readonly quantization: QuantizationOptions;
  /**
   * Commit or hash of the weights, of an adapter, of the tokenizer's files; how the weights will be held. No paths: a
   * moved model is the same.
   */
  readonly identity: Readonly<Record<string, unknown>>;
}

/**
 * Describes what `openModel` will open for the same place and options, downloading what is not in the cache. Files that
 * the hub has no commit for are read whole, for their hash.
 * @throws {UserError} where there is none, or its architecture is not supported
 */
export async function describeModel(place: string, options: OpenModelOptions = {}): Promise<ModelDescription> {
  const adapter = isAdapterFolder(place) ? await readAdapterSettings(place) : undefined;
  const chosen = adapter && (await quantizationFor(place, options.quantization));
  const quantization = chosen?.quantization ?? options.quantization ?? { kind: "none" };
  const torchDtype = chosen?.torchDtype ?? options.torchDtype ?? "float32";
  const checkpoint = await (adapter
    ? openBase(place, adapter, { ...options, torchDtype })
    : openCheckpoint(place, { ...options, torchDtype }));
  try {
    const folder = adapter && existsSync(join(place, "tokenizer.json")) ? place : checkpoint.folder;
    return {
      folder,
      quantization,
      identity: {
        ...(await weightsOf(checkpoint)),
        config: hashOf(checkpoint.config.json),
        generationConfig: checkpoint.generationConfig ? hashOf(checkpoint.generationConfig) : null,
        tokenizer: await hashesOf(folder, TOKENIZER_FILES),
        ...(adapter ? { adapter: await hashesOf(place, ["adapter_config.json", "adapter_model.safetensors"]) } : {}),
        quantization: quantization.kind,
        doubleQuantization: quantization.doubleQuantization ?? false,
        blockSize: quantization.blockSize ?? null,
        torchDtype,
      },
    };
  } finally {
    await checkpoint.close();
  }
}

const weightsOf = async ({ source, commit, weights }: Checkpoint): Promise<Record<string, string>> =>
  commit ? { source, commit } : { weights: await weights.sha256() };

/** SHA-256 of those files of a folder that there are. */
async function hashesOf(folder: string, names: readonly string[]): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of names) {
    const path = join(folder, name);
    if (existsSync(path)) hashes[name] = await sha256OfFile(path);
  }
  return hashes;
}
