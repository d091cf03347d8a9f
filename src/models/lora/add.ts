import { UserError } from "../../base/errors.js";
import type { Parameter } from "../model.js";
import { type LoraSettings, makeParameter, parameterOfShape, type Weights } from "../weights.js";
import { adapterWeightName } from "./matrices.js";
import { loraStart } from "./start.js";
import { adaptedLayers, type Target } from "./targets.js";

/** A linear layer's adapter before it is trained. */
interface Start extends Target {
  readonly a: Parameter;
  readonly b: Parameter;
}

/**
 * Freezes a model and gives linear layers low-rank adapters, which alone are trained; see `loraStart`.
 * @throws {UserError} where the rank is not positive, a module matches nothing, or there are adapters already
 */
export function addLora(weights: Weights, settings: LoraSettings, seed: number): Promise<void> {
  const { device } = weights;
  return addAdapters(weights, settings, async function* () {
    for (const { a, b, ...target } of loraStart(weights.linearLayers, settings, seed)) {
      const {
        layer,
        rank,
        shape: [outputs, inputs],
      } = target;
      yield {
        ...target,
        a: await makeParameter(device, adapterWeightName(layer, "A"), [rank, inputs], a),
        b: await makeParameter(device, adapterWeightName(layer, "B"), [outputs, rank], b),
      };
    }
  });
}

/** The same without elements, on a meta device. */
export function addLoraShape(weights: Weights, settings: LoraSettings): Promise<void> {
  const { device } = weights;
  return addAdapters(weights, settings, async function* () {
    for (const target of adaptedLayers(weights.linearLayers, settings)) {
      const {
        layer,
        rank,
        shape: [outputs, inputs],
      } = target;
      yield {
        ...target,
        a: await parameterOfShape(device, adapterWeightName(layer, "A"), [rank, inputs]),
        b: await parameterOfShape(device, adapterWeightName(layer, "B"), [outputs, rank]),
      };
    }
  });
}

async function addAdapters(
  weights: Weights,
  settings: LoraSettings,
  starts: () => AsyncGenerator<Start>,
): Promise<void> {
  if (!Number.isInteger(settings.rank) || settings.rank < 1)
    throw new UserError(`lora.r: ${settings.rank} is no whole number from 1`, {
      hint: "Set lora.r to a whole number, such as 16.",
    });
  if (weights.lora)
    throw new UserError("the model has adapters already", {
      hint: "Load the model anew, or merge its adapters (mergeAdapters) first.",
    });
  for await (const { layer, scaling, a, b } of starts())
    weights.addAdapter(layer, { a, b, scaling, dropout: settings.dropout });
  weights.lora = settings;
  weights.freezeAll();
}
