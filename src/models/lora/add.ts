import { UserError } from "../../base/errors.js";
import { Random } from "../random.js";
import { type LoraSettings, makeParameter, type Weights } from "../weights.js";
import { adapterWeightName } from "./matrices.js";
import { adaptedLayers } from "./targets.js";

/**
 * Freezes a model and gives linear layers low-rank adapters (Hu et al. 2021), which alone are trained. A starts as PEFT
 * starts it (uniform, Kaiming with a = √5), B as zeros, so that the model is at first what it was.
 * @throws {UserError} where the rank is not positive, a module matches nothing, or there are adapters already
 */
export async function addLora(weights: Weights, settings: LoraSettings, seed: number): Promise<void> {
  if (!Number.isInteger(settings.rank) || settings.rank < 1)
    throw new UserError(`lora.r: ${settings.rank} is no whole number from 1`, {
      hint: "Set lora.r to a whole number, such as 16.",
    });
  if (weights.lora)
    throw new UserError("the model has adapters already", {
      hint: "Load the model anew, or merge its adapters (mergeAdapters) first.",
    });
  const targets = adaptedLayers(weights.linearLayers, settings);
  for (const [number, { layer, shape, rank, scaling }] of targets.entries()) {
    const [outputs, inputs] = shape;
    const random = new Random(seed, number + 1);
    const bound = 1 / Math.sqrt(inputs);
    const a = Float32Array.from({ length: rank * inputs }, () => (2 * random.uniform() - 1) * bound);
    weights.addAdapter(layer, {
      a: await makeParameter(weights.device, adapterWeightName(layer, "A"), [rank, inputs], a),
      b: await makeParameter(
        weights.device,
        adapterWeightName(layer, "B"),
        [outputs, rank],
        new Float32Array(outputs * rank),
      ),
      scaling,
      dropout: settings.dropout,
    });
  }
  weights.lora = settings;
  weights.freezeAll();
}
