import { Random } from "../random.js";
import type { LoraSettings } from "../weights.js";
import { adaptedLayers, type Target } from "./targets.js";

/** An adapter's matrices before they are trained. */
export interface StartedTarget extends Target {
  /** [rank, inputs] */
  readonly a: Float32Array;
  /** [outputs, rank] */
  readonly b: Float32Array;
}

/**
 * The low-rank adapters of linear layers (Hu et al. 2021) as training begins with them: A as PEFT starts it (uniform,
 * Kaiming with a = √5), B as zeros, so that the model is at first what it was. Each layer's are drawn when asked for.
 * @param layers shapes [outputs, inputs] of all linear layers, in the model's order
 * @throws {UserError} where a module matches nothing
 */
export function* loraStart(
  layers: ReadonlyMap<string, readonly [number, number]>,
  settings: LoraSettings,
  seed: number,
): Generator<StartedTarget> {
  for (const [number, target] of adaptedLayers(layers, settings).entries()) {
    const [outputs, inputs] = target.shape;
    const random = new Random(seed, number + 1);
    const bound = 1 / Math.sqrt(inputs);
    const a = new Float32Array(target.rank * inputs);
    for (let i = 0; i < a.length; i++) a[i] = (2 * random.uniform() - 1) * bound;
    yield {
      ...target,
      a,
      b: new Float32Array(outputs * target.rank),
    };
  }
}
