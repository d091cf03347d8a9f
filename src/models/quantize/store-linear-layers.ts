import { type Progress, silent } from "../../base/progress.js";
import type { Weights } from "../weights.js";
import type { WeightStore } from "./index.js";

/** Puts stored weights in the place of a model's float32 linear layers. */
export async function storeLinearLayers(
  weights: Weights,
  store: WeightStore,
  progress: Progress = silent,
): Promise<void> {
  const layers = weights.linearLayers;
  progress.begin("quantizing weights", layers.size);
  let done = 0;
  for (const [layer, shape] of layers) {
    const name = `${layer}.weight`;
    const elements = (await weights.device.read(weights.get(name).array)) as Float32Array;
    weights.store(name, await store(name, shape, elements, weights.device));
    progress.update(++done);
    // A long loop must not keep Ctrl-C waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress.end();
}
