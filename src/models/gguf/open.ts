import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../base/errors.js";
import { hubSettings } from "../../data/hub/index.js";
import { ENDS_BY_NAME, fetchGguf, GgufFile, type MetadataReader, tokenizerFolder } from "../../gguf/index.js";
import type { Architecture } from "../architecture.js";
import { ARCHITECTURES } from "../architectures/index.js";
import { CheckpointWeights } from "../checkpoint-weights.js";
import { parseDecoderConfig } from "../decoder/config.js";
import { isDecoderOnly } from "../decoder/decoder-only.js";
import type { DecoderDescription } from "../decoder/description.js";
import { decoderWeightShapes, OUTPUT } from "../decoder/weight-shapes.js";
import type { Checkpoint, OpenCheckpointOptions } from "../load.js";
import { TOKENIZER_FILES } from "../save.js";
import { configOf, ROPE_FACTORS } from "./config.js";
import { GgufWeights } from "./weights.js";

/**
 * What decoder-only models' GGUF files are called, by `general.architecture`. Several may be written under one name
 * (llama.cpp knows no Mistral): the first in the registry reads it.
 */
export function ggufArchitectures(
  among: readonly Architecture[] = ARCHITECTURES,
): ReadonlyMap<string, DecoderDescription> {
  const found = new Map<string, DecoderDescription>();
  for (const one of among.filter(isDecoderOnly))
    if (!found.has(one.gguf.architecture)) found.set(one.gguf.architecture, one);
  return found;
}

/**
 * Opens a model from a GGUF file, here or on the hub: its configuration comes from the metadata, its tokenizer and chat
 * template are put into a folder of the cache, its weights are read as transformers has them.
 * @throws {UserError} where it is of another architecture or a kind that is not supported, unsound, or a part of it is
 * missing
 */
export async function openGguf(source: string, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  const { offline, progress, signal } = options;
  const hub = options.hub ?? hubSettings({ offline, progress, signal });
  const { path, commit } = await fetchGguf(source, { revision: options.revision, hub });
  const file = GgufFile.open(path);
  try {
    const description = descriptionOf(file.metadata);
    const config = configOf(file, description);
    const parsed = parseDecoderConfig(config, description);
    const names = [...decoderWeightShapes(parsed).keys(), OUTPUT];
    const weights = CheckpointWeights.of(
      new GgufWeights(file, names, description, parsed.headDim, new Set([ROPE_FACTORS])),
      options.torchDtype,
    );
    const folder = tokenizerFolder(file.metadata);
    const generationConfig = generationOf(file.metadata);
    const tokenizerFiles = TOKENIZER_FILES.map((name) => join(folder, name)).filter((one) => existsSync(one));
    return { source, commit, folder, config, generationConfig, weights, tokenizerFiles, close: () => weights.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

function descriptionOf(metadata: MetadataReader): DecoderDescription {
  const type = metadata.optionalText("general.type") ?? "model";
  if (type !== "model")
    throw new UserError(`${metadata.path} holds a ${JSON.stringify(type)}, not a model`, {
      hint: type === "adapter" ? "Adapters are read in PEFT's format." : undefined,
    });
  const architecture = metadata.text("general.architecture");
  const known = ggufArchitectures();
  const found = known.get(architecture);
  if (found) return found;
  throw new UserError(`${metadata.path}: the architecture ${JSON.stringify(architecture)} is not supported`, {
    hint: `Supported: ${[...known].map(([name, { title }]) => `${name} (${title})`).join(", ")}.`,
  });
}

/**
 * What ends a reply: the tokenizer's end, the turn's end that it names, and of a model that chats those known by name.
 */
function generationOf(metadata: MetadataReader): Record<string, unknown> | undefined {
  const named = ["eos", "eot", "eom"].flatMap(
    (name) => metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`) ?? [],
  );
  const chats = metadata.has("tokenizer.chat_template");
  const tokens = chats ? metadata.texts("tokenizer.ggml.tokens") : [];
  const byName = ENDS_BY_NAME.map((token) => tokens.indexOf(token)).filter((id) => id >= 0);
  const ends = [...new Set([...named, ...byName])];
  return ends.length === 0 ? undefined : { eos_token_id: ends.length === 1 ? ends[0] : ends };
}
