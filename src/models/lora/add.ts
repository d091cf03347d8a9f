import { UserError } from "../../base/errors.js";
import { type LoraSettings, makeParameter, type Weights } from "../weights.js";
import { adapterWeightName } from "./matrices.js";
import { loraStart } from "./start.js";

/**
 * Freezes a model and gives linear layers low-rank adapters, which alone are trained; see `loraStart`.
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
  for (const { layer, shape, rank, scaling, a, b } of loraStart(weights.linearLayers, settings, seed)) {
    const [outputs, inputs] = shape;
    weights.addAdapter(layer, {
      a: await makeParameter(weights.device, adapterWeightName(layer, "A"), [rank, inputs], a),
      b: await makeParameter(weights.device, adapterWeightName(layer, "B"), [outputs, rank], b),
      scaling,
      dropout: settings.dropout,
    });
  }
  weights.lora = settings;
  weights.freezeAll();
}
