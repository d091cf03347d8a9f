import type { Device } from "../../graph/index.js";
import type { ModelFiles } from "../language-model.js";
import { Random } from "../random.js";
import { makeParameter, Weights } from "../weights.js";
import { alternating, type Gemma2Config, gemma2WeightShapes } from "./config.js";
import { Gemma2Model } from "./gemma2.js";

/** Sizes of a Gemma 2 made on the spot. */
export type TinyGemma2Options = Pick<Gemma2Config, "vocabularySize"> & Partial<Gemma2Config>;

/** A small Gemma 2 configuration: two layers, 64 wide, two query heads to a key-value head; every part can be set. */
export function tinyGemma2Config(options: TinyGemma2Options): Gemma2Config {
  const layers = options.layers ?? 2;
  return {
    width: 64,
    feedForwardWidth: 128,
    layers,
    heads: 4,
    keyValueHeads: 2,
    headWidth: 16,
    longestSequence: 512,
    epsilon: 1e-6,
    rotaryBase: 10_000,
    queryScalar: 16,
    slidingWindow: 256,
    slides: alternating(layers),
    finalCap: 30,
    attentionCap: 50,
    padToken: 0,
    beginToken: 2,
    endTokens: [1],
    ...options,
  };
}

/** A small Gemma 2 with random weights, for samples and tests; the same for the same seed. Norms start as ones (stored as zeros). */
export async function createTinyGemma2(
  device: Device,
  options: TinyGemma2Options,
  seed: number,
  files: ModelFiles = {},
): Promise<Gemma2Model> {
  const config = tinyGemma2Config(options);
  const weights = new Weights(device);
  const random = new Random(seed);
  for (const [name, shape] of gemma2WeightShapes(config)) {
    const elements = new Float32Array(shape.reduce((product, size) => product * size, 1));
    // A tied table of deviation 1/√width gives logits of order one.
    if (shape.length === 2) random.fillNormal(elements, shape[1]! ** -0.5);
    weights.add(await makeParameter(device, name, shape, elements));
  }
  return new Gemma2Model(weights, config, undefined, files);
}
