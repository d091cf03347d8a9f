import { copyFileSync, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError } from "../../base/errors.js";
import { writeWhole } from "../../base/files.js";
import { writeFolderWhole } from "../../base/folders.js";
import { type Progress, silent } from "../../base/progress.js";
import { CheckpointWeights } from "../checkpoint-weights.js";
import { configText } from "../config-file.js";
import { bfloat16Bits, expandToFloat32 } from "../float-formats.js";
import { type OpenCheckpointOptions, openCheckpoint } from "../load.js";
import { SHARD_BYTES, TOKENIZER_FILES } from "../save.js";
import { type TensorToWrite, writeShardedSafetensors } from "../write-safetensors.js";
import { adapterWeightName } from "./add.js";
import { mergeInto } from "./merge.js";
import { baseOf, readAdapterSettings } from "./peft.js";

export interface MergeOptions extends OpenCheckpointOptions {
  /** Hub id or folder of the base instead of the one that the adapter names. */
  readonly base?: string;
  /** Whether the merged weights are float32; otherwise each has the type that it has in the base (float16 becomes float32). */
  readonly float32?: boolean;
  /** Called with the folder before it takes its name; what it throws leaves nothing behind. */
  readonly check?: (folder: string) => Promise<void>;
  readonly progress?: Progress;
}

/**
 * Merges a PEFT adapter into its base's weights, tensor by tensor, and writes the whole model as a folder that needs no adapter.
 * The base is taken as it is stored, not quantized: an adapter trained on 4-bit weights makes up for some of their rounding,
 * which the merged model does not have.
 * @throws {UserError} where the adapter is for another base, or the folder cannot be written
 */
export async function mergeAdapterFolder(adapter: string, out: string, options: MergeOptions = {}): Promise<void> {
  const { progress = silent } = options;
  const settings = await readAdapterSettings(adapter);
  const { base: source, revision } = baseOf(settings, options);
  if (!source)
    throw new UserError(`${adapter}: adapter_config.json names no base model`, { hint: "Give it with --base." });
  const matrices = await CheckpointWeights.open(adapter, "adapter_model");
  const checkpoint = await openCheckpoint(source, { ...options, revision });
  try {
    const changes = new Map<string, { a: Float32Array; b: Float32Array }>();
    for (const name of matrices.names) {
      const layer = /^base_model\.model\.(.+)\.lora_A\.weight$/.exec(name)?.[1];
      if (layer === undefined) {
        if (/\.lora_B\.weight$/.test(name)) continue;
        throw new UserError(`the adapter in ${adapter} has ${name}, which is no matrix of a linear layer's adapter`, {
          hint: "In Python, PEFT's merge_and_unload merges such an adapter.",
        });
      }
      const weight = `${layer}.weight`;
      if (!checkpoint.weights.has(weight))
        throw new UserError(`the adapter in ${adapter} is for another base: ${source} has no weight ${weight}`, {
          hint: "Give the base model that it was trained on, with --base.",
        });
      const [a, b] = [await matrices.readFloat32(name), await matrices.readFloat32(adapterWeightName(layer, "B"))];
      checkpoint.weights.entry(weight, [b.length / settings.rank, a.length / settings.rank]);
      changes.set(weight, { a, b });
    }
    if (changes.size === 0) throw new UserError(`the adapter in ${adapter} has no matrices to merge`);
    progress.begin("merging", checkpoint.weights.names.length);
    let done = 0;
    const tensors = checkpoint.weights.names.map((name): TensorToWrite => {
      const { type, shape } = checkpoint.weights.entry(name);
      const change = changes.get(name);
      const keeps = !options.float32 && (type === "BF16" || type === "F32");
      return {
        name,
        shape,
        type: keeps ? type : "F32",
        elements: () => {
          const bytes = checkpoint.weights.readBytesNow(name);
          progress.update(++done, name);
          if (keeps && !change) return bytes;
          const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
          expandToFloat32(bytes, type, values, 0);
          if (change) mergeInto(values, change.a, change.b, settings.rank, settings.alpha / settings.rank);
          return keeps && type === "BF16" ? bfloat16Bits(values) : values;
        },
      };
    });
    const dtype = tensors.every(({ type }) => type === "BF16") ? "bfloat16" : "float32";
    await writeFolderWhole(out, async (place) => {
      for (const file of checkpoint.tokenizerFiles) copyFileSync(file, join(place, basename(file)));
      // A template or token that was changed for training stands with the adapter.
      for (const file of TOKENIZER_FILES.map((name) => join(adapter, name)))
        if (existsSync(file)) copyFileSync(file, join(place, basename(file)));
      if (checkpoint.generationConfig)
        writeWhole(join(place, "generation_config.json"), configText(checkpoint.generationConfig));
      writeShardedSafetensors(join(place, "model.safetensors"), tensors, SHARD_BYTES);
      writeWhole(
        join(place, "config.json"),
        configText({ ...checkpoint.config.json, dtype, torch_dtype: dtype }, checkpoint.config.floatKeys),
      );
      progress.end();
      await options.check?.(place);
    });
  } finally {
    await checkpoint.close();
    await matrices.close();
  }
}
