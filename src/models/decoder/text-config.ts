import { UserError } from "../../base/errors.js";
import type { ConfigFile } from "../config-file.js";
import type { DecoderDescription } from "./description.js";

/** Keys of a whole model's config.json that hold for its text part too, unless that says otherwise. */
const SHARED = [
  "tie_word_embeddings",
  "pad_token_id",
  "bos_token_id",
  "eos_token_id",
  "quantization_config",
  "transformers_weights",
];

/**
 * The part of config.json that is a decoder-only model's own, and what its weights' names begin with: the whole of it,
 * or what a model of more than text has under a key.
 * @throws {UserError} where it is not there
 */
export function textConfig(
  { path, json }: Pick<ConfigFile, "path" | "json">,
  { modelType, within }: Pick<DecoderDescription, "modelType" | "within">,
): Pick<ConfigFile, "path" | "json"> & { readonly prefix: string } {
  if (!within || json["model_type"] !== within.modelType) return { path, json, prefix: "model." };
  const own = json[within.configKey];
  if (own === null || typeof own !== "object" || Array.isArray(own))
    throw new UserError(`${path} has no ${within.configKey}, the configuration of its text model`, {
      hint: "Copy config.json anew from where the model comes from.",
    });
  const type = (own as { model_type?: unknown }).model_type;
  if (type !== undefined && type !== modelType)
    throw new UserError(`${path}: ${within.configKey}.model_type is ${JSON.stringify(type)}, not ${modelType}`, {
      hint: "Take a model of that text model, or the text model alone.",
    });
  const shared = Object.fromEntries(SHARED.filter((key) => Object.hasOwn(json, key)).map((key) => [key, json[key]]));
  return { path, json: { ...shared, ...own }, prefix: within.prefix };
}
