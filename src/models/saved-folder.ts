import { join } from "node:path";
import { z } from "zod";
import { readJsonAs } from "../base/json.js";
import { CheckpointWeights } from "./checkpoint-weights.js";
import { readConfigFile } from "./config-file.js";
import { ADAPTER_CONFIG } from "./lora/adapter-config.js";
import { isAdapterFolder } from "./lora/index.js";

/** What a saved model's folder holds. */
export interface SavedFolder {
  /** Whether it is a PEFT adapter, without its base's weights. */
  readonly adapter: boolean;
  /** Whether the model has an encoder and a decoder, as T5 has. */
  readonly encoderDecoder: boolean;
  /** The base that an adapter names: a hub id or a folder. */
  readonly base?: string;
}

const adapterSchema = z.looseObject({
  task_type: z.string().nullish(),
  base_model_name_or_path: z.string().nullish(),
});

/**
 * Looks at a saved model's folder; its weights' files are opened, their headers and lengths checked.
 * @throws {UserError} where a file is missing or damaged
 */
export async function describeSavedFolder(folder: string): Promise<SavedFolder> {
  const adapter = isAdapterFolder(folder);
  await (await CheckpointWeights.open(folder, adapter ? "adapter_model" : "model")).close();
  if (adapter) {
    const config = await readJsonAs(join(folder, ADAPTER_CONFIG), adapterSchema);
    return {
      adapter,
      encoderDecoder: config.task_type === "SEQ_2_SEQ_LM",
      base: config.base_model_name_or_path ?? undefined,
    };
  }
  return { adapter, encoderDecoder: (await readConfigFile(folder)).json["is_encoder_decoder"] === true };
}
