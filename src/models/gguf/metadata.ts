import { UserError } from "../../base/errors.js";
import type { WrittenKind, WrittenValue } from "../../gguf/index.js";
import type { DecoderConfig } from "../decoder/config.js";
import type { DecoderDescription } from "../decoder/description.js";

/** Numbers of `general.file_type`: what most of the file is stored as. */
const FILE_TYPES: Readonly<Record<WrittenKind, number>> = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7, BF16: 32 };

const uint32 = (value: number): WrittenValue => ({ type: "uint32", value });
const float32 = (value: number): WrittenValue => ({ type: "float32", value });
const text = (value: string): WrittenValue => ({ type: "string", value });

/** The base of windowed layers' rotary positions where the file does not tell it, in every version of llama.cpp. */
const LOCAL_BASE = 10_000;

/**
 * A model's keys of metadata, as llama.cpp's convert script has them.
 * @param name what the model is called
 * @param parameters how many it has
 */
export function modelMetadata(
  config: DecoderConfig,
  description: DecoderDescription,
  { name, parameters, kind }: { name: string; parameters: number; kind: WrittenKind },
): Map<string, WrittenValue> {
  const { gguf } = description;
  const key = (own: string): string => `${gguf.architecture}.${own}`;
  const { full_attention: full, sliding_attention: sliding } = config.ropeParameters;
  const out = new Map<string, WrittenValue>([
    ["general.architecture", text(gguf.architecture)],
    ["general.type", text("model")],
    ["general.name", text(name)],
    ["general.size_label", text(sizeLabel(parameters))],
    [key("block_count"), uint32(config.numHiddenLayers)],
    [key("context_length"), uint32(config.maxPositionEmbeddings)],
    [key("embedding_length"), uint32(config.hiddenSize)],
    [key("feed_forward_length"), uint32(config.intermediateSize)],
    [key("attention.head_count"), uint32(config.numAttentionHeads)],
    [key("attention.head_count_kv"), uint32(config.numKeyValueHeads)],
    [key("rope.freq_base"), float32(full.ropeTheta)],
    [key("attention.layer_norm_rms_epsilon"), float32(config.rmsNormEps)],
    [key("attention.key_length"), uint32(config.headDim)],
    [key("attention.value_length"), uint32(config.headDim)],
    [key("vocab_size"), uint32(config.vocabSize)],
    [key("rope.dimension_count"), uint32(config.headDim)],
  ]);
  if (full.ropeType === "linear") {
    out.set(key("rope.scaling.type"), text("linear"));
    out.set(key("rope.scaling.factor"), float32(full.factor));
  }
  if (config.layerTypes.includes("sliding_attention") && config.slidingWindow !== null) {
    out.set(key("attention.sliding_window"), uint32(config.slidingWindow));
    if (sliding.ropeTheta !== full.ropeTheta && sliding.ropeTheta !== LOCAL_BASE)
      out.set(key("rope.freq_base_swa"), float32(sliding.ropeTheta));
  }
  const caps: Readonly<Record<string, number | null>> = {
    attn_logit_softcapping: config.attnLogitSoftcapping,
    final_logit_softcapping: config.finalLogitSoftcapping,
  };
  for (const [own, stored] of Object.entries(gguf.keys ?? {})) {
    const value = caps[own];
    if (value !== null && value !== undefined) out.set(key(stored), float32(value));
  }
  out.set("general.file_type", uint32(FILE_TYPES[kind]));
  out.set("general.quantization_version", uint32(2));
  return out;
}

/** Such as 270M: two digits at least, as Python's `gguf` has it. */
function sizeLabel(parameters: number): string {
  const [unit, suffix] =
    parameters > 1e12 ? [1e12, "T"] : parameters > 1e9 ? [1e9, "B"] : parameters > 1e6 ? [1e6, "M"] : [1e3, "K"];
  const scaled = parameters / unit;
  const whole = String(Math.round(scaled)).replace(/^0+/, "").length;
  return `${scaled.toFixed(Math.max(2 - whole, 0))}${suffix}`;
}

/**
 * Refuses a model that llama.cpp would load as another one: what it derives from the architecture must be what the
 * model has.
 * @throws {UserError} naming the key of config.json
 */
export function refuseInexpressible(path: string, config: DecoderConfig, description: DecoderDescription): void {
  const { gguf, title } = description;
  const refuse = (what: string): never => {
    throw new UserError(
      `${path}: ${what}: GGUF has no place for that in ${title}, and llama.cpp would compute something else`,
      {
        hint: "Use the model with transformers' format instead (mmmlu merge, mmmlu serve).",
      },
    );
  };
  const sizes = {
    layers: config.numHiddenLayers,
    hidden: config.hiddenSize,
    heads: config.numAttentionHeads,
    headDim: config.headDim,
  };
  const scalar = gguf.queryScalar?.(sizes) ?? config.headDim;
  if (Math.abs(config.queryPreAttnScalar - scalar) > 1e-6 * scalar)
    refuse(`query_pre_attn_scalar is ${config.queryPreAttnScalar}, not ${scalar}`);
  if (gguf.architecture === "qwen2" && config.headDim * config.numAttentionHeads !== config.hiddenSize)
    refuse(`head_dim is ${config.headDim}, not hidden_size / num_attention_heads`);
  const { windowPattern: every } = gguf;
  const windowed = config.slidingWindow !== null && config.layerTypes.includes("sliding_attention");
  if (windowed && every === undefined) refuse("layers have a sliding_window");
  if (!windowed && gguf.architecture === "gemma2") refuse("no layer has a sliding_window");
  if (!config.tieWordEmbeddings && gguf.architecture === "gemma2")
    refuse("the output layer (lm_head.weight) is not the embedding");
  if (windowed && every !== undefined)
    for (const [layer, type] of config.layerTypes.entries())
      if ((type === "full_attention") !== ((layer + 1) % every === 0))
        refuse(`layer_types has ${type} for layer ${layer}, where every ${every}th attends to all`);
  const { full_attention: full, sliding_attention: sliding } = config.ropeParameters;
  if (full.ropeType === "llama3" && gguf.architecture !== "llama") refuse("rope_parameters are of the type llama3");
  if (full.ropeType === "linear" && gguf.architecture === "gemma2") refuse("rope_parameters are of the type linear");
  if (windowed && sliding.ropeType !== "default")
    refuse(`rope_parameters of windowed layers are of the type ${sliding.ropeType}`);
  if (windowed && description.rope.slidingTheta === undefined && sliding.ropeTheta !== full.ropeTheta)
    refuse("windowed layers have a rope_theta of their own");
  const caps = {
    attn_logit_softcapping: config.attnLogitSoftcapping,
    final_logit_softcapping: config.finalLogitSoftcapping,
  };
  for (const [own, value] of Object.entries(caps)) {
    const has = Object.hasOwn(gguf.keys ?? {}, own);
    if (value !== null && !has) refuse(`${own} is ${value}`);
    if (value === null && has && gguf.architecture === "gemma2") refuse(`${own} is null`);
  }
  const { queryKeyValue, output, mlp } = config.biases;
  if (gguf.anyBiases) return;
  if (queryKeyValue !== (description.attention.queryKeyValueBias ?? false) || output || mlp)
    refuse("linear layers have biases (attention_bias, mlp_bias)");
}
