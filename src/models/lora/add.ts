import { UserError } from "../../base/errors.js";
import { Random } from "../random.js";
import { type LoraSettings, makeParameter, type Weights } from "../weights.js";

/** The name of an adapter's matrix, as PEFT has it in `adapter_model.safetensors`. */
export const adapterWeightName = (layer: string, matrix: "A" | "B"): string =>
  `base_model.model.${layer}.lora_${matrix}.weight`;

/**
 * The linear layers that settings name, by PEFT's rule: a layer's name is a module's, or ends in `.` and it.
 * @throws {UserError} where a module matches no layer; the ends that there are get named
 */
export function adaptedLayers(
  weights: Weights,
  modules: readonly string[],
): [layer: string, shape: readonly [number, number]][] {
  const layers = [...weights.linearLayers];
  const isOf = (layer: string, module: string): boolean => layer === module || layer.endsWith(`.${module}`);
  const all = modules.length === 1 && modules[0] === "all-linear";
  const lost = all ? [] : modules.filter((module) => !layers.some(([layer]) => isOf(layer, module)));
  if (lost.length > 0) {
    const ends = [...new Set(layers.map(([layer]) => layer.slice(layer.lastIndexOf(".") + 1)))];
    throw new UserError(`lora.modules: no layer of the model is named ${lost.join(", ")}`, {
      hint: `Its linear layers are named ${ends.join(", ")}; or all-linear.`,
    });
  }
  return all ? layers : layers.filter(([layer]) => modules.some((module) => isOf(layer, module)));
}

/**
 * Freezes a model and gives linear layers low-rank adapters (Hu et al. 2021), which alone are trained. A starts as PEFT starts
 * it (uniform, Kaiming with a = √5), B as zeros, so that the model is at first what it was.
 * @throws {UserError} where the rank is not positive, a module matches nothing, or there are adapters already
 */
export async function addLora(weights: Weights, settings: LoraSettings, seed: number): Promise<void> {
  if (!Number.isInteger(settings.rank) || settings.rank < 1)
    throw new UserError(`lora.rank: ${settings.rank} is no whole number from 1`);
  if (weights.lora) throw new UserError("the model has adapters already");
  const layers = adaptedLayers(weights, settings.modules);
  for (const [number, [layer, [outputs, inputs]]] of layers.entries()) {
    const random = new Random(seed, number + 1);
    const bound = 1 / Math.sqrt(inputs);
    const a = Float32Array.from({ length: settings.rank * inputs }, () => (2 * random.uniform() - 1) * bound);
    weights.addAdapter(layer, {
      a: await makeParameter(weights.device, adapterWeightName(layer, "A"), [settings.rank, inputs], a),
      b: await makeParameter(
        weights.device,
        adapterWeightName(layer, "B"),
        [outputs, settings.rank],
        new Float32Array(outputs * settings.rank),
      ),
      scaling: settings.alpha / settings.rank,
      dropout: settings.dropout,
    });
  }
  weights.lora = settings;
  weights.freezeAll();
}
