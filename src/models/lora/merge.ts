import type { Weights } from "../weights.js";

/**
 * W + scaling · B·A in float32: what a layer and its adapter come to. `a` is [rank, inputs], `b` [outputs, rank],
 * `weight` [outputs, inputs], changed in place.
 */
export function mergeInto(weight: Float32Array, a: Float32Array, b: Float32Array, rank: number, scaling: number): void {
  const inputs = a.length / rank;
  const outputs = b.length / rank;
  const change = new Float64Array(inputs);
  for (let o = 0; o < outputs; o++) {
    change.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scaling * b[o * rank + r]!;
      if (factor === 0) continue;
      const row = r * inputs;
      for (let i = 0; i < inputs; i++) change[i]! += factor * a[row + i]!;
    }
    for (let i = 0; i < inputs; i++) weight[o * inputs + i]! += change[i]!;
  }
}

/**
 * Merges a model's adapters into its weights, which become float32, and takes them off.
 * Quantized weights keep their rounding: {@link mergeAdapterFolder} merges onto the base as it is stored.
 */
export async function mergeAdapters(weights: Weights): Promise<void> {
  const { device } = weights;
  for (const [layer, { a, b, scaling }] of weights.adapted) {
    const parameter = await weights.expand(`${layer}.weight`);
    const [own, low, high] = (await Promise.all([parameter, a, b].map(({ array }) => device.read(array)))) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    mergeInto(own, low, high, a.shape[0]!, scaling);
    if (device.memory !== "host") {
      device.dispose(parameter.array);
      parameter.array = await device.upload(device.array(own, parameter.shape));
    }
  }
  weights.removeAdapters();
}
