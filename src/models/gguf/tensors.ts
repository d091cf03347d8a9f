import { type GgufTensorToWrite, KINDS, quantize, type WrittenKind } from "../../gguf/index.js";
import type { DecoderConfig } from "../decoder/config.js";
import type { DecoderDescription } from "../decoder/description.js";
import { decoderWeightShapes } from "../decoder/weight-shapes.js";
import { type MergedWeights, mergedRows } from "../lora/index.js";
import { ROPE_FACTORS } from "./config.js";
import { ggufName, isNorm, isRotated, neighbourRow } from "./names.js";
import { ropeFactors } from "./rope-factors.js";

/** Elements that are read, merged and quantized at once; more only where a head's rows have more. */
const ELEMENTS = 1 << 20;

export interface TensorSources extends MergedWeights {
  /** Told of each tensor that has been written. */
  readonly done: (name: string) => void;
}

/**
 * What a tensor is stored as: vectors as they are, matrices in the kind, or in F16 where their rows are no whole number
 * of blocks.
 */
function kindFor(name: string, shape: readonly number[], kind: WrittenKind): WrittenKind {
  if (shape.length === 1 || isNorm(name)) return "F32";
  return shape.at(-1)! % KINDS[kind].elements === 0 ? kind : "F16";
}

/** A model's tensors as GGUF has them, each read in pieces when it is written. */
export function tensorsToWrite(
  config: DecoderConfig,
  description: DecoderDescription,
  kind: WrittenKind,
  sources: TensorSources,
): GgufTensorToWrite[] {
  const { prefix, headDim } = config;
  const tensors = [...decoderWeightShapes(config)].map(([own, shape]): GgufTensorToWrite => {
    const name = ggufName(own.startsWith(prefix) ? `model.${own.slice(prefix.length)}` : own, description);
    const as = kindFor(name, shape, kind);
    return { name, kind: as, shape, pieces: () => pieces(own, name, shape, as) };
  });
  const rope = config.ropeParameters.full_attention;
  if (rope.ropeType === "llama3") {
    const factors = ropeFactors(rope, rope.ropeTheta, headDim);
    tensors.push({
      name: ROPE_FACTORS,
      kind: "F32",
      shape: [factors.length],
      pieces: () => [quantize(factors, "F32")],
    });
  }
  return tensors;

  function* pieces(own: string, name: string, shape: readonly number[], as: WrittenKind): Generator<Uint8Array> {
    const width = shape[1] ?? 1;
    const reordered = description.gguf.neighboursRotated === true && isRotated(name);
    const step = reordered ? headDim : 1;
    const most = Math.max(step, Math.floor(ELEMENTS / width / step) * step);
    for (let row = 0; row < shape[0]!; row += most) {
      const count = Math.min(most, shape[0]! - row);
      const values = mergedRows(sources, own, row, count);
      if (description.norm.storedLessOne && isNorm(name))
        for (let i = 0; i < values.length; i++) values[i] = values[i]! + 1;
      yield quantize(reordered ? neighbours(values, width, headDim) : values, as);
    }
    sources.done(own);
  }
}

/** Whole heads' rows in the file's order. */
function neighbours(values: Float32Array, width: number, headDim: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < values.length / width; row++)
    out.set(values.subarray(row * width, (row + 1) * width), neighbourRow(row, headDim) * width);
  return out;
}
