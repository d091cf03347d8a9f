import { add, concat, mul, reshape, split, sub, type Value } from "../../graph/index.js";
import type { RopeParameters } from "./rope-parameters.js";

/**
 * The angle that each pair of a head's elements turns by from one position to the next: [headDim / 2], in float32 as
 * transformers has them.
 */
export function ropeFrequencies(headDim: number, rope: RopeParameters): Float32Array {
  const plain = Float32Array.from(
    { length: headDim / 2 },
    (_, i) => 1 / Math.fround(rope.ropeTheta ** ((2 * i) / headDim)),
  );
  if (rope.ropeType === "linear") return plain.map((frequency) => frequency / rope.factor);
  if (rope.ropeType === "llama3") {
    const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: length } = rope;
    return plain.map((frequency) => {
      const wavelength = (2 * Math.PI) / frequency;
      if (wavelength > length / lowFreqFactor) return frequency / factor;
      if (wavelength < length / highFreqFactor) return frequency;
      const smooth = (length / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
      return ((1 - smooth) * frequency) / factor + smooth * frequency;
    });
  }
  return plain;
}

/**
 * Cosines and sines of the rotary angles at some positions: [positions, headDim / 2] each, in float32 as transformers
 * has them.
 */
export function ropeAngles(
  positions: ArrayLike<number>,
  headDim: number,
  rope: RopeParameters,
): { cos: Float32Array; sin: Float32Array } {
  const frequencies = ropeFrequencies(headDim, rope);
  const half = headDim / 2;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let p = 0; p < positions.length; p++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(positions[p]! * frequencies[i]!);
      cos[p * half + i] = Math.cos(angle);
      sin[p * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/**
 * Turns heads [T, heads, headDim] by their positions' angles; `cos` and `sin` are [T, 1, headDim / 2]. Given back as
 * [T, heads · headDim].
 */
export function rotate(x: Value, cos: Value, sin: Value, heads: number, headDim: number): Value {
  const [low, high] = split(x, 2, [headDim / 2, headDim / 2]) as [Value, Value];
  const turned = concat([sub(mul(low, cos), mul(high, sin)), add(mul(high, cos), mul(low, sin))], 2);
  return reshape(turned, [x.dimension(0), heads * headDim]);
}
