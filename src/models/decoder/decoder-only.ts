import type { Architecture } from "../architecture.js";
import { planDecoder } from "../onnx/decoder.js";
import { parseDecoderConfig } from "./config.js";
import type { DecoderModel } from "./decoder.js";
import type { AttentionDescription, DecoderDescription } from "./description.js";
import { decoderFromCheckpoint, decoderOfShape } from "./load.js";
import { moduleName } from "./stored-names.js";
import { decoderWeightShapes } from "./weight-shapes.js";

/** A decoder-only architecture: its description, and what makes its models. */
export type DecoderArchitecture = Architecture<DecoderModel> & DecoderDescription;

/** Whether an architecture is a decoder-only one. */
export const isDecoderOnly = (architecture: Architecture): architecture is DecoderArchitecture =>
  "modelType" in architecture;

/** `slides` of architectures whose layers are windowed from a number on that config.json gives, if it turns that on. */
export const fromLayer =
  (key: string): AttentionDescription["slides"] =>
  (layer, json) =>
    json["use_sliding_window"] === true && json["sliding_window"] !== null && layer >= (json[key] as number);

/**
 * An architecture from its description: the layers, generation and training of all decoder-only models are one code
 * that reads it.
 */
export function decoderOnly(description: DecoderDescription): DecoderArchitecture {
  return {
    ...description,
    modelTypes: [description.modelType, ...(description.within ? [description.within.modelType] : [])],
    moduleName: (stored) => moduleName(stored, description),
    text: { ...description.tokens, oneSequence: true },
    keepsBfloat16: true,
    weightShapes: (config) => decoderWeightShapes(parseDecoderConfig(config, description)),
    planOnnx: description.transformersJs ? (checkpoint) => planDecoder(description, checkpoint) : undefined,
    fromCheckpoint: (checkpoint, device, options) => decoderFromCheckpoint(description, checkpoint, device, options),
    ofShape: (config, device, options) => decoderOfShape(description, config, device, options),
  };
}
