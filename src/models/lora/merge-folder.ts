import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { copyWhole, writeWhole } from "../../base/files.js";
import { refuseOccupied, writeFolderWhole } from "../../base/folders.js";
import { type Progress, silent } from "../../base/progress.js";
import { bfloat16Bits, elementCount } from "../../graph/index.js";
import { architectureOf } from "../architectures/index.js";
import { configText } from "../config-file.js";
import { expandToFloat32 } from "../float-formats.js";
import type { Checkpoint, OpenCheckpointOptions } from "../load.js";
import { SHARD_BYTES, TOKENIZER_FILES } from "../save.js";
import { type LoraSettings, linearLayersOf } from "../weights.js";
import { type TensorToWrite, writeShardedSafetensors } from "../write-safetensors.js";
import { readAdapterSettings } from "./adapter-config.js";
import { openMatrices } from "./matrices.js";
import { mergeInto } from "./merge.js";
import type { Change } from "./merged-rows.js";
import { openBase } from "./open-base.js";

export interface MergeOptions extends OpenCheckpointOptions {
  /** Hub id or folder of the base instead of the one that the adapter names. */
  readonly base?: string;
  /**
   * Whether the merged weights are float32; otherwise each has the type that it has in the base (float16 becomes
   * float32).
   */
  readonly float32?: boolean;
  /** Called with the folder before it takes its name; what it throws leaves nothing behind. */
  readonly check?: (folder: string) => Promise<void>;
  readonly progress?: Progress;
}

/**
 * What an adapter changes of its base's weights, by the weights' names as transformers has them.
 * @throws {UserError} where the adapter is for another base
 */
export async function adapterChanges(
  adapter: string,
  settings: LoraSettings,
  { config, weights }: Checkpoint,
): Promise<Map<string, Change>> {
  const { moduleName = (name: string) => name } = architectureOf(config);
  const matrices = await openMatrices(
    adapter,
    settings,
    linearLayersOf(weights.names.map((name) => ({ ...weights.entry(name), name: moduleName(name) }))),
  );
  try {
    const changes = new Map<string, Change>();
    for (const { layer, rank, scaling, read } of matrices.targets) {
      const [a, b] = await read();
      changes.set(`${layer}.weight`, { a, b, rank, scaling });
    }
    return changes;
  } finally {
    await matrices.close();
  }
}

/**
 * Merges a PEFT adapter into its base's weights, tensor by tensor, and writes the whole model as a folder that needs no
 * adapter. The base is taken as it is stored, not quantized: an adapter trained on 4-bit weights makes up for some of
 * their rounding, which the merged model does not have.
 * @throws {UserError} where the adapter is for another base, or the folder is there already or cannot be written
 */
export async function mergeAdapterFolder(adapter: string, out: string, options: MergeOptions = {}): Promise<void> {
  const { progress = silent } = options;
  refuseOccupied(out);
  const settings = await readAdapterSettings(adapter);
  const checkpoint = await openBase(adapter, settings, options);
  try {
    const { moduleName = (name: string) => name } = architectureOf(checkpoint.config);
    const changes = await adapterChanges(adapter, settings, checkpoint);
    progress.begin("merging", checkpoint.weights.names.length);
    let done = 0;
    const tensors = checkpoint.weights.names.map((name): TensorToWrite => {
      const { type, shape } = checkpoint.weights.entry(name);
      const change = changes.get(moduleName(name));
      const keeps = !options.float32 && (type === "BF16" || type === "F32");
      return {
        name,
        shape,
        type: keeps ? type : "F32",
        elements: () => {
          const bytes = checkpoint.weights.readBytesNow(name);
          progress.update(++done, name);
          if (keeps && !change) return bytes;
          const values = new Float32Array(elementCount(shape));
          expandToFloat32(bytes, type, values, 0);
          if (change) mergeInto(values, change.a, change.b, change.rank, change.scaling);
          return keeps && type === "BF16" ? bfloat16Bits(values) : values;
        },
      };
    });
    const dtype = tensors.every(({ type }) => type === "BF16") ? "bfloat16" : "float32";
    await writeFolderWhole(out, async (place) => {
      // A template or token that was changed for training stands with the adapter: of a whole tokenizer of its own
      // nothing is the base's, whose chat_template.jinja would win over the template in tokenizer_config.json.
      const own = TOKENIZER_FILES.filter((name) => existsSync(join(adapter, name)));
      const isWhole = own.includes("tokenizer.json") && own.includes("tokenizer_config.json");
      const inherited = isWhole ? [] : checkpoint.tokenizerFiles;
      for (const file of [...inherited, ...own.map((name) => join(adapter, name))])
        copyWhole(file, join(place, basename(file)));
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
  }
}
