import type { Device } from "../../graph/index.js";
import { elementCount } from "../../graph/index.js";
import type { ModelFiles } from "../language-model.js";
import { Random } from "../random.js";
import { makeParameter, Weights } from "../weights.js";
import { type DecoderConfig, parseDecoderConfig } from "./config.js";
import { DecoderModel } from "./decoder.js";
import type { DecoderDescription } from "./description.js";
import { decoderWeightShapes } from "./weight-shapes.js";

/** Sizes of a model made on the spot. */
export type TinyDecoderOptions = Pick<DecoderConfig, "vocabSize"> & Partial<DecoderConfig>;

/** A small configuration: two layers of 64, two query heads to a key-value head; every part can be set. */
export function tinyDecoderConfig(description: DecoderDescription, options: TinyDecoderOptions): DecoderConfig {
  const json = {
    vocab_size: 256,
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: options.numHiddenLayers ?? 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-6,
    ...(Object.hasOwn(description.config, "query_pre_attn_scalar") ? { query_pre_attn_scalar: 16 } : {}),
    ...(Object.hasOwn(description.config, "sliding_window") ? { sliding_window: 256 } : {}),
  };
  const path = `a tiny ${description.title}`;
  return { ...parseDecoderConfig({ path, json }, description), ...options };
}

/**
 * A small model with random weights, for samples and tests; the same for the same seed. Norms start as ones, biases as
 * zeros.
 */
export async function createTinyDecoder(
  device: Device,
  description: DecoderDescription,
  options: TinyDecoderOptions,
  seed: number,
  files: ModelFiles = {},
): Promise<DecoderModel> {
  const config = tinyDecoderConfig(description, options);
  const weights = new Weights(device);
  const random = new Random(seed);
  for (const [name, shape] of decoderWeightShapes(config)) {
    const elements = new Float32Array(elementCount(shape));
    // A tied table of deviation 1/√size gives logits of order one.
    if (shape.length === 2) random.fillNormal(elements, shape[1]! ** -0.5);
    else if (!config.norm.storedLessOne && name.endsWith(".weight")) elements.fill(1);
    weights.add(await makeParameter(device, name, shape, elements));
  }
  return new DecoderModel(weights, config, description, undefined, files);
}
