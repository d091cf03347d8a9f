import { UserError } from "../../base/errors.js";
import { CheckpointWeights } from "../checkpoint-weights.js";
import type { LoraSettings } from "../weights.js";
import { type Target, targetsOf } from "./targets.js";

/** The name of an adapter's matrix, as PEFT has it in `adapter_model.safetensors`. */
export const adapterWeightName = (layer: string, matrix: "A" | "B"): string =>
  `base_model.model.${layer}.lora_${matrix}.weight`;

/** A target of an adapter with its matrices. */
export interface TargetMatrices extends Target {
  /** A [rank, inputs] and B [outputs, rank], float32; read when asked for. */
  readonly read: () => Promise<readonly [a: Float32Array, b: Float32Array]>;
}

/** An adapter's matrices, checked against a base's linear layers: each target has both, and nothing else is there. */
export interface AdapterMatrices {
  readonly targets: readonly TargetMatrices[];
  close(): Promise<void>;
}

/**
 * Opens the matrices of an adapter's folder for a base of these linear layers.
 * @throws {UserError} naming the tensor that no target asks for, is missing, or has another shape; or where they belong
 * to another base
 */
export async function openMatrices(
  folder: string,
  settings: LoraSettings,
  layers: ReadonlyMap<string, readonly [number, number]>,
): Promise<AdapterMatrices> {
  const stored = await CheckpointWeights.open(folder, "adapter_model");
  try {
    const another = (why: string): UserError =>
      new UserError(
        `the adapter in ${folder} is for another base${settings.base ? ` (${settings.base})` : ""}: ${why}`,
        { hint: "Give the base model that it was trained on." },
      );
    const targets = targetsOf(layers, settings);
    const wanted = new Map(
      targets.flatMap(({ layer, shape: [outputs, inputs], rank }) => [
        [adapterWeightName(layer, "A"), [rank, inputs]],
        [adapterWeightName(layer, "B"), [outputs, rank]],
      ]),
    );
    const extra = stored.names.find((name) => !wanted.has(name));
    if (extra !== undefined) throw strange(folder, extra, layers) ?? another(`the model has no layer for ${extra}`);
    if (targets.length === 0)
      throw another(`its target_modules ${JSON.stringify(settings.modules)} name no layer of the model`);
    for (const [name, shape] of wanted) {
      if (!stored.has(name)) throw another(`it has no ${name}`);
      const found = stored.entry(name).shape;
      if (found.length !== 2 || found.some((size, axis) => size !== shape[axis]))
        throw another(
          `${name} has the shape [${found.join(", ")}], and the model's layer asks for [${shape.join(", ")}]`,
        );
    }
    return {
      targets: targets.map((target) => ({
        ...target,
        read: async () => [
          await stored.readFloat32(adapterWeightName(target.layer, "A")),
          await stored.readFloat32(adapterWeightName(target.layer, "B")),
        ],
      })),
      close: () => stored.close(),
    };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/**
 * A tensor that is no matrix of a linear layer's adapter, or of a layer that the settings do not name; undefined where
 * the base has no such layer.
 */
function strange(
  folder: string,
  name: string,
  layers: ReadonlyMap<string, readonly [number, number]>,
): UserError | undefined {
  const layer = /^base_model\.model\.(.+)\.lora_[AB]\.weight$/.exec(name)?.[1];
  if (layer === undefined)
    return new UserError(`the adapter in ${folder} has ${name}, which is no matrix of a linear layer's adapter`, {
      hint: "In Python, PEFT's merge_and_unload merges such an adapter.",
    });
  if (/(^|\.)(lm_head|embed_tokens|shared)$/.test(layer))
    return new UserError(
      `the adapter in ${folder} has ${name}: adapters of embeddings and output layers are not supported`,
      { hint: "In Python, PEFT's merge_and_unload merges such an adapter." },
    );
  return layers.has(layer)
    ? new UserError(`the adapter in ${folder} has ${name}, and its adapter_config.json does not name that layer`, {
        hint:
          "Keys and matrices belong together (target_modules, exclude_modules, layers_to_transform): copy both " +
          "files again.",
      })
    : undefined;
}
