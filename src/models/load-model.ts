import { UserError } from "../base/errors.js";
import type { Device } from "../graph/index.js";
import type { Architecture, ArchitectureLoadOptions } from "./architecture.js";
import { ARCHITECTURES, architectureOf } from "./architectures/index.js";
import { t5 } from "./architectures/t5.js";
import { DecoderModel } from "./decoder/decoder.js";
import type { LanguageModel } from "./language-model.js";
import { type OpenCheckpointOptions, openCheckpoint } from "./load.js";
import type { T5Model } from "./t5/t5.js";

export type LoadModelOptions = ArchitectureLoadOptions & OpenCheckpointOptions;

/** Loads T5 v1.1 or Flan-T5; see {@link loadModel}. */
export const loadT5 = (source: string, device: Device, options?: LoadModelOptions): Promise<T5Model> =>
  loadModel(source, device, options, t5);

/** Loads a decoder-only model of any architecture; see {@link loadModel}. */
export async function loadDecoder(source: string, device: Device, options?: LoadModelOptions): Promise<DecoderModel> {
  const model = await loadModel(source, device, options);
  if (model instanceof DecoderModel) return model;
  await model.dispose();
  const known = ARCHITECTURES.filter((one) => one !== (t5 as Architecture)).map(({ title }) => title);
  throw new UserError(`${source} is no decoder-only model`, { hint: `There are ${known.join(", ")}.` });
}

/**
 * Loads a model from a folder or hub id, its weights as float32 (4 bytes a parameter) and trained unless the options
 * say otherwise.
 * @param wanted the architecture that it must have
 * @throws {UserError} where it has another architecture, or a weight is missing or has another shape than config.json
 * says
 */
export async function loadModel<Model extends LanguageModel = LanguageModel>(
  source: string,
  device: Device,
  options: LoadModelOptions = {},
  wanted?: Architecture<Model>,
): Promise<Model> {
  const checkpoint = await openCheckpoint(source, options);
  try {
    const architecture = architectureOf(checkpoint.config);
    if (wanted && architecture !== (wanted as Architecture))
      throw new UserError(`${source} is ${architecture.title}, not ${wanted.title}`, {
        hint: "Load it with loadModel, which takes every architecture.",
      });
    return (await architecture.fromCheckpoint(checkpoint, device, options)) as Model;
  } finally {
    await checkpoint.close();
  }
}
