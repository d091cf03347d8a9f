import { UserError } from "../../base/errors.js";
import { silent } from "../../base/progress.js";
import type { Device } from "../../graph/index.js";
import type { ArchitectureLoadOptions } from "../architecture.js";
import type { ConfigFile } from "../config-file.js";
import { refuseOtherStart, withEndTokens } from "../generation-config.js";
import type { Checkpoint } from "../load.js";
import { type ShapeOptions, weightsOfShape } from "../model-shape.js";
import { storeLinearLayers } from "../quantize/index.js";
import { checkReach } from "../reach.js";
import { makeParameter, Weights } from "../weights.js";
import { parseT5Config, type T5Config, t5WeightShapes } from "./config.js";
import { T5Model } from "./t5.js";

/** Where older files keep a second copy of the embedding. */
const EMBEDDING_NAMES = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"];

const OUTPUT = "lm_head.weight";

/** What the first T5s hold and no model uses (transformers ignores it too). */
const UNUSED = /^decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/;

/** A checkpoint's T5, looked at before its weights are read. */
export interface StoredT5 {
  readonly config: T5Config;
  /** Whether the output layer is the embedding. */
  readonly tied: boolean;
  /** The name that a weight of the model has in the checkpoint. */
  readonly place: (name: string) => string;
}

/**
 * What a checkpoint's T5 is made of. As transformers 5 does, an output layer equal to the embedding counts as tied to
 * it, whatever config.json says.
 * @throws {UserError} where a weight is missing or has another shape than config.json says, or there are others
 */
export async function t5Stored({ config: file, generationConfig, weights: stored }: Checkpoint): Promise<StoredT5> {
  const config = withEndTokens(parseT5Config(file), generationConfig);
  refuseOtherStart(file.path, generationConfig, config.decoderStartTokenId);
  const embedding = EMBEDDING_NAMES.find((name) => stored.has(name)) ?? EMBEDDING_NAMES[0]!;
  const place = (name: string): string => (name === "shared.weight" ? embedding : name);
  const shapes = t5WeightShapes(config, false);
  // Every shape is checked before gigabytes are read.
  for (const [name, shape] of shapes) if (name !== OUTPUT) stored.entry(place(name), shape);
  // Only a config.json that says that the output layer is not the embedding asks for one of its own.
  if (stored.has(OUTPUT) || file.json["tie_word_embeddings"] === false) stored.entry(OUTPUT, shapes.get(OUTPUT));
  for (const name of EMBEDDING_NAMES)
    if (name !== embedding && stored.has(name) && !(await stored.same(name, embedding)))
      throw new UserError(`${stored.source}: ${name} is not ${embedding}, and T5 has one embedding`, {
        hint: "In Python, load and save the model with transformers, and see what it says.",
      });
  stored.refuseOthers({ has: (name) => shapes.has(name) || EMBEDDING_NAMES.includes(name) }, UNUSED);
  return { config, place, tied: !stored.has(OUTPUT) || (await stored.same(OUTPUT, embedding)) };
}

/** The model of a checkpoint, all weights as float32 (4 bytes a parameter) and trained. */
export async function t5FromCheckpoint(
  checkpoint: Checkpoint,
  device: Device,
  { store, dropout, progress = silent }: ArchitectureLoadOptions = {},
): Promise<T5Model> {
  const { config: parsed, tied, place } = await t5Stored(checkpoint);
  const config: T5Config = dropout === undefined || dropout === null ? parsed : { ...parsed, dropoutRate: dropout };
  const stored = checkpoint.weights;
  const shapes = t5WeightShapes(config, tied);
  checkReach(shapes, device);
  const weights = new Weights(device, stored.torchDtype);
  progress.begin("loading weights", shapes.size);
  let done = 0;
  for (const [name, shape] of shapes) {
    weights.add(await makeParameter(device, name, shape, await stored.readFloat32(place(name), shape)));
    progress.update(++done);
    // A long read must not keep Ctrl-C waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress.end();
  if (store) await storeLinearLayers(weights, store, progress);
  return new T5Model(weights, config, tied, {
    config: checkpoint.config,
    generationConfig: checkpoint.generationConfig,
    tokenizer: checkpoint.tokenizerFiles,
  });
}

/** See `Architecture.ofShape`. Whether the output layer is the embedding goes by config.json alone. */
export async function t5OfShape(
  file: Pick<ConfigFile, "path" | "json">,
  device: Device,
  options: ShapeOptions = {},
): Promise<T5Model> {
  const parsed = parseT5Config(file);
  const config = { ...parsed, dropoutRate: options.dropout ?? parsed.dropoutRate };
  const tied = file.json["tie_word_embeddings"] !== false;
  const shapes = t5WeightShapes(config, tied);
  checkReach(shapes, device);
  return new T5Model(await weightsOfShape(device, shapes, options), config, tied);
}
