import { UserError } from "../../base/errors.js";

/**
 * Llama 3's scaling of rotary positions, which a GGUF file has as a factor of each pair of a head
 * (`rope_freqs.weight`).
 */
export interface Llama3Rope {
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalMaxPositionEmbeddings: number;
}

/** The factors by which each pair's frequency is divided, as llama.cpp's convert script has them: float32. */
export function ropeFactors(rope: Llama3Rope, theta: number, headDim: number): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: original } = rope;
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / headDim);
    if (wavelength < original / highFreqFactor) return 1;
    if (wavelength > original / lowFreqFactor) return factor;
    const smooth = (original / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

/** Numbers that Llama's models have, tried in turn. */
const [LOWS, HIGHS] = [
  [1, 2],
  [4, 2, 8],
];
const ORIGINALS = [8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16_384, 32_768, 65_536, 131_072];

/**
 * The scaling that gives such factors.
 * @throws {UserError} where none of those that models have does
 */
export function llama3RopeOf(factors: Float32Array, theta: number, path: string): Llama3Rope {
  const factor = Math.max(...factors);
  for (const originalMaxPositionEmbeddings of ORIGINALS)
    for (const lowFreqFactor of LOWS)
      for (const highFreqFactor of HIGHS) {
        if (highFreqFactor <= lowFreqFactor) continue;
        const rope = { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings };
        const own = ropeFactors(rope, theta, 2 * factors.length);
        if (own.every((value, i) => Math.abs(value - factors[i]!) <= 1e-5 * value)) return rope;
      }
  throw new UserError(`${path}: rope_freqs.weight scales rotary positions in no way that Llama's models do`, {
    hint: "Take the model's folder in Hugging Face's format instead.",
  });
}
