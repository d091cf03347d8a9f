import { UserError } from "../../base/errors.js";
import { type Progress, silent } from "../../base/progress.js";
import type { Device } from "../../graph/index.js";
import { SUPPORTED_MODELS } from "../config-file.js";
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from "../load.js";
import { makeParameter, Weights } from "../weights.js";
import { parseT5Config, type T5Config, t5WeightShapes } from "./config.js";
import { T5Model } from "./t5.js";

/** Where older files keep a second copy of the embedding. */
const EMBEDDING_NAMES = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"];

export interface LoadT5Options extends OpenCheckpointOptions {
  /** Dropout instead of what config.json says. */
  readonly dropout?: number | null;
}

/**
 * Loads T5 v1.1 or Flan-T5 from a folder or hub id, all weights as float32 (4 bytes a parameter) and trained.
 * @throws {UserError} where it is no T5, or a weight is missing or has another shape than config.json says
 */
export async function loadT5(source: string, device: Device, options: LoadT5Options = {}): Promise<T5Model> {
  const checkpoint = await openCheckpoint(source, options);
  try {
    return await t5FromCheckpoint(checkpoint, device, options);
  } finally {
    await checkpoint.close();
  }
}

/** As {@link loadT5}, from a checkpoint that is open already (and stays open). */
export async function t5FromCheckpoint(
  checkpoint: Checkpoint,
  device: Device,
  { dropout, progress = silent }: { dropout?: number | null; progress?: Progress } = {},
): Promise<T5Model> {
  if (checkpoint.config.modelType !== "t5")
    throw new UserError(`${checkpoint.source} is ${SUPPORTED_MODELS[checkpoint.config.modelType]}, not T5`);
  const parsed = parseT5Config(checkpoint.config);
  const config: T5Config = dropout === undefined || dropout === null ? parsed : { ...parsed, dropout };
  const stored = checkpoint.weights;
  const embedding = EMBEDDING_NAMES.find((name) => stored.has(name)) ?? EMBEDDING_NAMES[0]!;
  const read = (name: string, shape: readonly number[]): Promise<Float32Array> =>
    stored.readFloat32(name === "shared.weight" ? embedding : name, shape);
  const shapes = t5WeightShapes(config, false);
  // Every shape is checked before gigabytes are read.
  for (const [name, shape] of shapes)
    if (name !== "lm_head.weight") stored.entry(name === "shared.weight" ? embedding : name, shape);
  // Only a config.json that says that the output layer is not the embedding asks for one of its own.
  if (stored.has("lm_head.weight") || checkpoint.config.json["tie_word_embeddings"] === false)
    stored.entry("lm_head.weight", shapes.get("lm_head.weight"));
  const weights = new Weights(device);
  progress.begin("loading weights", shapes.size);
  let shared: Float32Array | undefined;
  let tied = !stored.has("lm_head.weight");
  let done = 0;
  for (const [name, shape] of shapes) {
    if (name === "lm_head.weight" && tied) continue;
    const elements = await read(name, shape);
    if (name === "shared.weight") shared = elements;
    if (name === "lm_head.weight" && equal(elements, shared!)) tied = true;
    else weights.add(await makeParameter(device, name, shape, elements));
    progress.update(++done);
    // A long read must not keep Ctrl-C waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress.end();
  return new T5Model(weights, config, tied, {
    config: checkpoint.config,
    generationConfig: checkpoint.generationConfig,
    tokenizer: checkpoint.tokenizerFiles,
  });
}

/** As transformers 5 does, an output layer equal to the embedding counts as tied to it, whatever config.json says. */
function equal(a: Float32Array, b: Float32Array): boolean {
  return (
    a.length === b.length &&
    Buffer.compare(
      Buffer.from(a.buffer, a.byteOffset, a.byteLength),
      Buffer.from(b.buffer, b.byteOffset, b.byteLength),
    ) === 0
  );
}
