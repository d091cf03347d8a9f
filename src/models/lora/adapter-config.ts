import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { readJsonAs } from "../../base/json.js";
import type { LoraSettings } from "../weights.js";
import { isAllLinear } from "./targets.js";

export const ADAPTER_CONFIG = "adapter_config.json";

/** Bytes of an adapter's configuration at most: it may list many layers. */
const LONGEST = 16 << 20;

const names = z.union([z.string().max(10_000), z.array(z.string().max(10_000)).max(100_000)]);
const numbers = z.int().nonnegative();

/** Keys that are read. What they say beyond it is refused by {@link refusal}. */
const schema = z.looseObject({
  peft_type: z.literal("LORA", "only LORA adapters are supported"),
  task_type: z.enum(["CAUSAL_LM", "SEQ_2_SEQ_LM"], "only CAUSAL_LM and SEQ_2_SEQ_LM are supported").nullish(),
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(1).default(0),
  target_modules: names.refine((value) => value.length > 0, "names no layer"),
  exclude_modules: names.nullish(),
  layers_to_transform: z.union([numbers, z.array(numbers)]).nullish(),
  layers_pattern: names.nullish(),
  use_rslora: z.boolean().nullish(),
  rank_pattern: z.record(z.string().max(10_000), z.int().positive()).nullish(),
  alpha_pattern: z.record(z.string().max(10_000), z.number().positive()).nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
  bias: z.string().nullish(),
});

/** Keys that do not change what an adapter computes, whatever they say. */
const HARMLESS = new Set(["auto_mapping", "peft_version", "inference_mode", "megatron_core", "qalora_group_size"]);

/** Beginnings of A and B that leave the base's weights as they are: the file holds what training made of them. */
const HARMLESS_STARTS = new Set(["gaussian", "orthogonal"]);

const IN_PYTHON =
  "In Python, PEFT's merge_and_unload makes a model of such an adapter and its base that needs neither.";
const CONVERT =
  "It changes the base's weights before training. Convert the adapter in Python: save_pretrained(folder, " +
  "path_initial_model_for_weight_conversion=<the adapter as it was before training>) makes a plain LoRA adapter of it.";

/** What is refused of an adapter's configuration, and what to do; undefined where nothing is. */
function refusal(config: Readonly<Record<string, unknown>>): { what: string; hint: string } | undefined {
  const start = config["init_lora_weights"];
  if (typeof start === "string" && !HARMLESS_STARTS.has(start.toLowerCase())) {
    const what = `init_lora_weights: ${JSON.stringify(start)} is not supported`;
    if (/^(pissa|olora|corda|lora_ga)/i.test(start)) return { what, hint: CONVERT };
    if (start === "eva")
      return { what, hint: "EVA leaves the base's weights as they are: write true instead, and the adapter loads." };
    return { what, hint: IN_PYTHON };
  }
  if ((config["bias"] ?? "none") !== "none")
    return { what: `bias: ${JSON.stringify(config["bias"])} is not supported: "none" is`, hint: IN_PYTHON };
  if (config["fan_in_fan_out"] === true)
    return {
      what: "fan_in_fan_out: true is not supported",
      hint: "No linear layer of these models is stored so: write false.",
    };
  for (const [key, value] of Object.entries(config)) {
    if (Object.hasOwn(schema.shape, key) || HARMLESS.has(key) || saysNothing(value)) continue;
    return {
      what: `${key}: ${JSON.stringify(value).slice(0, 60)} is not supported, and may change what the adapter computes`,
      hint: IN_PYTHON,
    };
  }
  return undefined;
}

/** null, false and what is empty ask for nothing. */
const saysNothing = (value: unknown): boolean =>
  value === null ||
  value === false ||
  value === "" ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** Whether a folder holds a PEFT adapter. */
export const isAdapterFolder = (folder: string): boolean => existsSync(join(folder, ADAPTER_CONFIG));

/**
 * The settings of an adapter's folder. Keys that are not known must say nothing (null, false, empty): any could change
 * the arithmetic.
 * @throws {UserError} where the file is missing, or says something that is not supported, naming the key
 */
export async function readAdapterSettings(folder: string): Promise<LoraSettings> {
  const path = join(folder, ADAPTER_CONFIG);
  if (!existsSync(path))
    throw new UserError(`${folder} has no ${ADAPTER_CONFIG}`, {
      hint: "Is it an adapter's folder, as PEFT's save_pretrained writes it?",
    });
  const config = await readJsonAs(path, schema, {
    most: LONGEST,
    hint: "Copy adapter_config.json again from where the adapter comes from.",
  });
  const refused = refusal(config);
  if (refused) throw new UserError(`${path}: ${refused.what}`, { hint: refused.hint });
  const [some, pattern] = [config.layers_to_transform ?? undefined, config.layers_pattern ?? undefined];
  const wrong = (what: string, hint: string): never => {
    throw new UserError(`${path}: ${what}`, { hint });
  };
  if (some !== undefined && typeof config.target_modules === "string")
    wrong(
      "layers_to_transform does not go with a text as target_modules",
      "List the modules' names, as PEFT demands too.",
    );
  if (pattern?.length && some === undefined)
    wrong("layers_pattern is of no use without layers_to_transform", "Leave it out, as PEFT demands too.");
  return {
    rank: config.r,
    alpha: config.lora_alpha,
    dropout: config.lora_dropout,
    modules: config.target_modules,
    excluded: config.exclude_modules ?? undefined,
    layers: some,
    layersPattern: pattern,
    rankStabilized: config.use_rslora ?? undefined,
    rankPattern: config.rank_pattern ?? undefined,
    alphaPattern: config.alpha_pattern ?? undefined,
    base: baseBeside(folder, config.base_model_name_or_path ?? ""),
    revision: config.revision ?? undefined,
  };
}

/** adapter_config.json of settings. @param taskType PEFT's: `CAUSAL_LM` or `SEQ_2_SEQ_LM` */
export function adapterConfigJson(lora: LoraSettings, taskType: "CAUSAL_LM" | "SEQ_2_SEQ_LM"): Record<string, unknown> {
  return {
    peft_type: "LORA",
    task_type: taskType,
    // A folder is named so that it is found from wherever the adapter is read.
    base_model_name_or_path: lora.base !== "" && existsSync(lora.base) ? resolve(lora.base) : lora.base,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    target_modules: isAllLinear(lora.modules) ? "all-linear" : lora.modules,
    exclude_modules: lora.excluded ?? null,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: lora.layersPattern ?? null,
    layers_to_transform: lora.layers ?? null,
    modules_to_save: null,
    rank_pattern: lora.rankPattern ?? {},
    alpha_pattern: lora.alphaPattern ?? {},
    revision: lora.revision ?? null,
    use_dora: false,
    use_rslora: lora.rankStabilized ?? false,
  };
}

/**
 * A base's name as it is opened: a relative path to a model's folder goes from the adapter's folder, as other tools
 * write it, else from the working one.
 */
function baseBeside(folder: string, base: string): string {
  if (base === "" || isAbsolute(base)) return base;
  const beside = resolve(folder, base);
  return existsSync(join(beside, "config.json")) ? beside : base;
}

/**
 * The base that an adapter is put on: the one that it names, at the commit that it names, unless another base or
 * revision is asked for.
 */
export function baseOf(
  settings: Pick<LoraSettings, "base" | "revision"> | undefined,
  asked: { readonly base?: string; readonly revision?: string | null },
): { base?: string; revision?: string | null } {
  const base = asked.base ?? (settings?.base || undefined);
  return { base, revision: asked.revision ?? (base === settings?.base ? settings?.revision : undefined) };
}
