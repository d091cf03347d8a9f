import type { Device } from "../../graph/index.js";
import { elementCount } from "../../graph/index.js";
import type { ModelFiles } from "../language-model.js";
import { Random } from "../random.js";
import { makeParameter, Weights } from "../weights.js";
import { type T5Config, t5WeightShapes } from "./config.js";
import { T5Model } from "./t5.js";

/** Sizes of a T5 v1.1 made on the spot. */
export type TinyT5Options = Pick<T5Config, "vocabSize"> & Partial<T5Config>;

/** A small T5 v1.1 configuration: two layers a side, 64 wide, gated gelu, untied; every part can be set. */
export function tinyT5Config(options: TinyT5Options): T5Config {
  return {
    dModel: 64,
    dKv: 16,
    dFf: 128,
    numLayers: 2,
    numDecoderLayers: 2,
    numHeads: 4,
    relativeAttentionNumBuckets: 32,
    relativeAttentionMaxDistance: 128,
    dropoutRate: 0.1,
    layerNormEpsilon: 1e-6,
    feedForwardProj: "gated-gelu",
    scaleDecoderOutputs: false,
    decoderStartTokenId: 0,
    padTokenId: 0,
    eosTokenIds: [1],
    ...options,
  };
}

/** A T5 v1.1 with random weights, by the deviations that transformers initializes with; the same for the same seed. */
export async function createT5(
  device: Device,
  config: T5Config,
  seed: number,
  files: ModelFiles = {},
): Promise<T5Model> {
  const weights = new Weights(device);
  const random = new Random(seed);
  for (const [name, shape] of t5WeightShapes(config, false)) {
    const elements = new Float32Array(elementCount(shape));
    const deviation = deviationOf(name, config);
    weights.add(
      await makeParameter(
        device,
        name,
        shape,
        deviation === undefined ? elements.fill(1) : random.fillNormal(elements, deviation),
      ),
    );
  }
  return new T5Model(weights, config, false, files);
}

/** As {@link createT5}, with a small configuration: for samples and tests. */
export function createTinyT5(
  device: Device,
  options: TinyT5Options,
  seed: number,
  files?: ModelFiles,
): Promise<T5Model> {
  return createT5(device, tinyT5Config(options), seed, files);
}

/** The standard deviation of a weight's first values; undefined for norms, which start as ones. */
function deviationOf(
  name: string,
  { dModel: width, dKv: headWidth, numHeads: heads, dFf: feedForwardWidth }: T5Config,
): number | undefined {
  if (name.endsWith("norm.weight")) return undefined;
  if (name === "shared.weight" || name === "lm_head.weight") return 1;
  if (name.endsWith(".q.weight")) return (width * headWidth) ** -0.5;
  if (name.endsWith(".o.weight")) return (heads * headWidth) ** -0.5;
  if (name.endsWith(".wo.weight")) return feedForwardWidth ** -0.5;
  return width ** -0.5;
}
