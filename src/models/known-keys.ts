import { UserError } from "../base/errors.js";

/** Keys whose names sound of arithmetic and that change none here. */
const HARMLESS =
  /^_|^(output_attentions|output_hidden_states|attn_implementation|initializer_range|use_cache|max_window_layers)$|^classifier_/;

/** Parts of names of keys that change what a model computes. */
const ARITHMETIC =
  /activation|add_cross|altup|attention|attn|auto_map|bias|block_config|causal|clip|dropout|expert|encoder_decoder|factor|final_logit|gate|head|hidden_act|layer_scale|laurel|logit|mla|moe|mrope|multiplier|norm|partial|per_layer|pretraining_tp|quantization|residual|rope|rotary|scal(e|ing)|soft_?cap|transformers_weights|window/;

/** Whether a value says that what its key names is not there. */
function isNeutral(key: string, value: unknown): boolean {
  // Without it transformers' masks let every token see every other.
  if (key === "is_causal") return value === true;
  if (value === null || value === false || value === 0) return true;
  if (/factor|multiplier|scal(e|ing)|_tp$/.test(key) && value === 1) return true;
  return typeof value === "object" && Object.keys(value as object).length === 0;
}

/**
 * A key of config.json that is not known may be anybody's note, or change what the model computes: those whose names
 * say the latter are refused, unless their value says that there is no such thing.
 * @throws {UserError} naming them
 */
export function refuseUnknownKeys(
  path: string,
  json: Readonly<Record<string, unknown>>,
  known: readonly string[],
): void {
  const set = new Set(known);
  const unknown = Object.entries(json).filter(
    ([key, value]) => !set.has(key) && !HARMLESS.test(key) && ARITHMETIC.test(key) && !isNeutral(key, value),
  );
  if (unknown.length > 0)
    throw new UserError(
      `${path}: ${unknown.map(([key, value]) => `${key} = ${JSON.stringify(value).slice(0, 80)}`).join(", ")} ` +
        `is not supported`,
      {
        hint: unknown.some(([key]) => key === "quantization_config")
          ? "Take the model as it was before it was stored quantized: its linear layers are quantized here on " +
            "loading (model.quantization, --quantization)."
          : "The model would compute something else without it.",
      },
    );
}
