import type { Architecture } from "../architecture.js";
import type { DecoderModel } from "./decoder.js";
import type { DecoderDescription } from "./description.js";
import { decoderFromCheckpoint } from "./load.js";

/** A decoder-only architecture: its description, and what makes its models. */
export type DecoderArchitecture = Architecture<DecoderModel> & DecoderDescription;

/** An architecture from its description: the layers, generation and training of all decoder-only models are one code that reads it. */
export function decoderOnly(description: DecoderDescription): DecoderArchitecture {
  return {
    ...description,
    modelTypes: [description.modelType],
    keepsBfloat16: true,
    fromCheckpoint: (checkpoint, device, options) => decoderFromCheckpoint(description, checkpoint, device, options),
  };
}
