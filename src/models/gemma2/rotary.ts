import { add, concat, mul, reshape, split, sub, type Value } from "../../graph/index.js";
import type { Gemma2Config } from "./config.js";

/** Cosines and sines of the rotary angles at some positions: [positions, headWidth / 2] each, in float32 as transformers has them. */
export function rotaryAngles(
  positions: ArrayLike<number>,
  { headWidth, rotaryBase }: Pick<Gemma2Config, "headWidth" | "rotaryBase">,
): { cos: Float32Array; sin: Float32Array } {
  const half = headWidth / 2;
  const frequencies = Float32Array.from(
    { length: half },
    (_, i) => 1 / Math.fround(rotaryBase ** ((2 * i) / headWidth)),
  );
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

/** Turns each head of packed tokens [T, heads · headWidth] by its position's angles; `cos` and `sin` are [T, 1, headWidth / 2]. */
export function rotate(x: Value, cos: Value, sin: Value, heads: number, headWidth: number): Value {
  const tokens = x.dimension(0);
  const [low, high] = split(reshape(x, [tokens, heads, headWidth]), 2, [headWidth / 2, headWidth / 2]) as [
    Value,
    Value,
  ];
  const turned = concat([sub(mul(low, cos), mul(high, sin)), add(mul(high, cos), mul(low, sin))], 2);
  return reshape(turned, [tokens, heads * headWidth]);
}
