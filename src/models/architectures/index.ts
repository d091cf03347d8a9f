/** What there is: an architecture of its own is a file here and a line in this one. */
import { UserError } from "../../base/errors.js";
import type { Architecture } from "../architecture.js";
import type { ConfigFile } from "../config-file.js";
import { gemma2 } from "./gemma2.js";
import { gemma3 } from "./gemma3.js";
import { llama } from "./llama.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";
import { t5 } from "./t5.js";

export const ARCHITECTURES: readonly Architecture[] = [t5, gemma2, gemma3, qwen2, qwen3, llama];

/**
 * The architecture that a config.json is of.
 * @throws {UserError} where there is none of its `model_type`; those that there are get named
 */
export function architectureOf({ path, modelType }: Pick<ConfigFile, "path" | "modelType">): Architecture {
  const found = ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(modelType as string));
  if (!found) {
    const known = ARCHITECTURES.flatMap(({ modelTypes, title }) => modelTypes.map((type) => `${type} (${title})`));
    throw new UserError(`${path}: the model_type ${JSON.stringify(modelType)} is not supported`, {
      hint: `Supported: ${known.join(", ")}.`,
    });
  }
  return found;
}
