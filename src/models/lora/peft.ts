import { copyFileSync, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { readJson, writeWhole } from "../../base/files.js";
import { writeFolderWhole } from "../../base/folders.js";
import { CheckpointWeights } from "../checkpoint-weights.js";
import { parameterToWrite } from "../save.js";
import { type LoraSettings, makeParameter, type Weights } from "../weights.js";
import { type TensorToWrite, writeSafetensors } from "../write-safetensors.js";
import { adaptedLayers, adapterWeightName } from "./add.js";

const CONFIG = "adapter_config.json";

const configSchema = z.looseObject({
  peft_type: z.literal("LORA", "only LORA adapters are supported"),
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(1).default(0),
  target_modules: z.union([z.string(), z.array(z.string()).min(1)]),
  bias: z.literal("none", "adapters with biases are not supported").default("none"),
  use_rslora: z.literal(false, "is not supported").nullish(),
  use_dora: z.literal(false, "is not supported").nullish(),
  fan_in_fan_out: z.literal(false, "is not supported").nullish(),
  modules_to_save: z.null("is not supported").optional(),
  layers_to_transform: z.null("adapters of some layers only are not supported").optional(),
  exclude_modules: z.null("is not supported").optional(),
  layer_replication: z.null("is not supported").optional(),
  trainable_token_indices: z.null("is not supported").optional(),
  lora_bias: z.literal(false, "is not supported").nullish(),
  rank_pattern: z.record(z.string(), z.never("ranks by layer are not supported")).nullish(),
  alpha_pattern: z.record(z.string(), z.never("alphas by layer are not supported")).nullish(),
});

/** Whether a folder holds a PEFT adapter. */
export const isAdapterFolder = (folder: string): boolean => existsSync(join(folder, CONFIG));

/**
 * The settings of an adapter's folder.
 * @throws {UserError} where the file is missing, or says something that is not supported, naming the key
 */
export async function readAdapterSettings(folder: string): Promise<LoraSettings> {
  const path = join(folder, CONFIG);
  if (!existsSync(path))
    throw new UserError(`${folder} has no ${CONFIG}`, {
      hint: "Is it an adapter's folder, as PEFT's save_pretrained writes it?",
    });
  const result = configSchema.safeParse(await readJson<unknown>(path));
  if (!result.success)
    throw new UserError(
      `${path}: ${result.error.issues.map((issue) => `${issue.path.join(".") || "(whole)"}: ${issue.message}`).join("; ")}`,
    );
  const { r, lora_alpha, lora_dropout, target_modules, base_model_name_or_path, revision } = result.data;
  if (typeof target_modules === "string" && target_modules !== "all-linear")
    throw new UserError(`${path}: target_modules: a regular expression is not supported`, {
      hint: "List the modules' names.",
    });
  return {
    rank: r,
    alpha: lora_alpha,
    dropout: lora_dropout,
    modules: typeof target_modules === "string" ? [target_modules] : target_modules,
    base: base_model_name_or_path ?? "",
    revision: revision ?? undefined,
  };
}

/** The base that an adapter is put on: the one that it names, at the commit that it names, unless another base or revision is asked for. */
export function baseOf(
  settings: Pick<LoraSettings, "base" | "revision"> | undefined,
  asked: { readonly base?: string; readonly revision?: string | null },
): { base?: string; revision?: string | null } {
  const base = asked.base ?? (settings?.base || undefined);
  return { base, revision: asked.revision ?? (base === settings?.base ? settings?.revision : undefined) };
}

/**
 * Gives a model the adapter that lies in a folder, made by PEFT or by us. The rest of the model is frozen.
 * @throws {UserError} where it was made for a model of other layers or shapes, or a matrix is missing
 */
export async function loadAdapter(weights: Weights, folder: string): Promise<LoraSettings> {
  const settings = await readAdapterSettings(folder);
  const stored = await CheckpointWeights.open(folder, "adapter_model");
  try {
    const another = (why: string, cause?: unknown): UserError =>
      new UserError(
        `the adapter in ${folder} is for another base${settings.base ? ` (${settings.base})` : ""}: ${why}`,
        { hint: "Give the base model that it was trained on.", cause },
      );
    let layers: ReturnType<typeof adaptedLayers>;
    try {
      layers = adaptedLayers(weights, settings.modules);
    } catch (error) {
      throw another((error as Error).message, error);
    }
    const wanted = new Set(layers.flatMap(([layer]) => [adapterWeightName(layer, "A"), adapterWeightName(layer, "B")]));
    const extra = stored.names.find((name) => !wanted.has(name));
    if (extra) throw another(`the model has no layer for ${extra}`);
    const read = async (name: string, shape: readonly number[]) => {
      if (!stored.has(name)) throw another(`it has no ${name}`);
      const found = stored.entry(name).shape;
      if (found.length !== 2 || found.some((size, axis) => size !== shape[axis]))
        throw another(
          `${name} has the shape [${found.join(", ")}], and the model's layer asks for [${shape.join(", ")}]`,
        );
      return makeParameter(weights.device, name, shape, await stored.readFloat32(name));
    };
    for (const [layer, [outputs, inputs]] of layers) {
      weights.addAdapter(layer, {
        a: await read(adapterWeightName(layer, "A"), [settings.rank, inputs]),
        b: await read(adapterWeightName(layer, "B"), [outputs, settings.rank]),
        scaling: settings.alpha / settings.rank,
        dropout: settings.dropout,
      });
    }
  } finally {
    await stored.close();
  }
  weights.lora = settings;
  weights.freezeAll();
  return settings;
}

/**
 * Saves a model's adapters as a folder that PEFT's `PeftModel.from_pretrained` loads; whole or not at all.
 * @param taskType PEFT's: `CAUSAL_LM` or `SEQ_2_SEQ_LM`
 * @param files copied along: the tokenizer's, so that the adapter can be asked without looking for them
 * @throws {UserError} where it cannot be written
 */
export async function saveAdapter(
  folder: string,
  weights: Weights,
  taskType: "CAUSAL_LM" | "SEQ_2_SEQ_LM",
  files: readonly string[] = [],
): Promise<void> {
  const { lora } = weights;
  if (!lora) throw new Error("the model has no adapters");
  const tensors: TensorToWrite[] = [];
  for (const { a, b } of weights.adapted.values())
    for (const parameter of [a, b]) tensors.push(await parameterToWrite(weights.device, parameter));
  const config = {
    peft_type: "LORA",
    task_type: taskType,
    base_model_name_or_path: lora.base,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    target_modules: lora.modules.length === 1 && lora.modules[0] === "all-linear" ? "all-linear" : [...lora.modules],
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    modules_to_save: null,
    rank_pattern: {},
    alpha_pattern: {},
    revision: lora.revision ?? null,
    use_dora: false,
    use_rslora: false,
  };
  await writeFolderWhole(folder, (place) => {
    for (const file of files) if (existsSync(file)) copyFileSync(file, join(place, basename(file)));
    writeSafetensors(join(place, "adapter_model.safetensors"), tensors);
    writeWhole(join(place, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  });
}
