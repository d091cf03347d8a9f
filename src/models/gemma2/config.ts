import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { type ConfigFile, parseConfig } from "../config-file.js";

const count = z.number().int().positive();
const tokenId = z.number().int().nonnegative();
const cap = z.number().positive().nullish();

const schema = z.looseObject({
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count,
  head_dim: count.multipleOf(2).default(256),
  hidden_activation: z.string().nullish(),
  hidden_act: z.string().nullish(),
  max_position_embeddings: count.default(8192),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().nullish(),
  rope_parameters: z
    .looseObject({
      rope_theta: z.number().positive().nullish(),
      rope_type: z.literal("default", "is not supported").nullish(),
    })
    .nullish(),
  attention_bias: z.literal(false, "is not supported").nullish(),
  tie_word_embeddings: z.literal(true, "an output layer of its own is not supported").nullish(),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: count.nullish(),
  layer_types: z.array(z.enum(["sliding_attention", "full_attention"])).nullish(),
  final_logit_softcapping: cap,
  attn_logit_softcapping: cap,
  use_bidirectional_attention: z.literal(false, "is not supported").nullish(),
  pad_token_id: tokenId.nullish(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
});

/** What a Gemma 2 model is made of; names are the field's, the comment gives config.json's. */
export interface Gemma2Config {
  /** vocab_size */
  readonly vocabularySize: number;
  /** hidden_size */
  readonly width: number;
  /** intermediate_size */
  readonly feedForwardWidth: number;
  /** num_hidden_layers */
  readonly layers: number;
  /** num_attention_heads */
  readonly heads: number;
  /** num_key_value_heads: each is shared by heads / keyValueHeads queries' heads. */
  readonly keyValueHeads: number;
  /** head_dim */
  readonly headWidth: number;
  /** max_position_embeddings */
  readonly longestSequence: number;
  /** rms_norm_eps */
  readonly epsilon: number;
  /** rope_theta */
  readonly rotaryBase: number;
  /** query_pre_attn_scalar: scores are divided by its root. */
  readonly queryScalar: number;
  /** sliding_window: a query reads so many keys, its own included; null for all. */
  readonly slidingWindow: number | null;
  /** layer_types: whether a layer's attention slides. */
  readonly slides: readonly boolean[];
  /** final_logit_softcapping */
  readonly finalCap: number | null;
  /** attn_logit_softcapping */
  readonly attentionCap: number | null;
  readonly padToken: number;
  readonly beginToken: number;
  /** eos_token_id */
  readonly endTokens: readonly number[];
}

/**
 * Reads a Gemma 2 configuration; keys that are absent have transformers' defaults.
 * @throws {UserError} where a key is wrong or says something that is not supported
 */
export function parseGemma2Config(file: ConfigFile): Gemma2Config {
  const json = parseConfig(file, schema);
  const activation = json.hidden_activation ?? "gelu_pytorch_tanh";
  if (activation !== "gelu_pytorch_tanh")
    throw new UserError(`${file.path}: hidden_activation ${JSON.stringify(activation)} is not supported`, {
      hint: "Supported: gelu_pytorch_tanh.",
    });
  if (json.num_attention_heads % json.num_key_value_heads !== 0)
    throw new UserError(
      `${file.path}: ${json.num_attention_heads} heads cannot share ${json.num_key_value_heads} key-value heads evenly`,
    );
  if (json.layer_types && json.layer_types.length !== json.num_hidden_layers)
    throw new UserError(
      `${file.path}: layer_types has ${json.layer_types.length} entries for ${json.num_hidden_layers} layers`,
    );
  const end = json.eos_token_id ?? 1;
  const own = (key: string, value: number | null | undefined, usual: number): number | null =>
    Object.hasOwn(file.json, key) ? (value ?? null) : usual;
  return {
    vocabularySize: json.vocab_size,
    width: json.hidden_size,
    feedForwardWidth: json.intermediate_size,
    layers: json.num_hidden_layers,
    heads: json.num_attention_heads,
    keyValueHeads: json.num_key_value_heads,
    headWidth: json.head_dim,
    longestSequence: json.max_position_embeddings,
    epsilon: json.rms_norm_eps,
    rotaryBase: json.rope_parameters?.rope_theta ?? json.rope_theta ?? 10_000,
    queryScalar: json.query_pre_attn_scalar,
    slidingWindow: own("sliding_window", json.sliding_window, 4096),
    slides: json.layer_types?.map((type) => type === "sliding_attention") ?? alternating(json.num_hidden_layers),
    finalCap: own("final_logit_softcapping", json.final_logit_softcapping, 30),
    attentionCap: own("attn_logit_softcapping", json.attn_logit_softcapping, 50),
    padToken: json.pad_token_id ?? 0,
    beginToken: json.bos_token_id ?? 2,
    endTokens: typeof end === "number" ? [end] : end,
  };
}

/** Every other layer slides, the first one too. */
export const alternating = (layers: number): boolean[] => Array.from({ length: layers }, (_, layer) => layer % 2 === 0);

/** config.json of a model. */
export function gemma2ConfigJson(config: Gemma2Config): Record<string, unknown> {
  return {
    architectures: ["Gemma2ForCausalLM"],
    model_type: "gemma2",
    vocab_size: config.vocabularySize,
    hidden_size: config.width,
    intermediate_size: config.feedForwardWidth,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headWidth,
    hidden_activation: "gelu_pytorch_tanh",
    hidden_act: "gelu_pytorch_tanh",
    max_position_embeddings: config.longestSequence,
    rms_norm_eps: config.epsilon,
    rope_theta: config.rotaryBase,
    rope_parameters: { rope_theta: config.rotaryBase, rope_type: "default" },
    attention_bias: false,
    attention_dropout: 0,
    query_pre_attn_scalar: config.queryScalar,
    sliding_window: config.slidingWindow,
    layer_types: config.slides.map((slides) => (slides ? "sliding_attention" : "full_attention")),
    final_logit_softcapping: config.finalCap,
    attn_logit_softcapping: config.attentionCap,
    tie_word_embeddings: true,
    pad_token_id: config.padToken,
    bos_token_id: config.beginToken,
    eos_token_id: config.endTokens.length === 1 ? config.endTokens[0] : config.endTokens,
    use_cache: true,
    dtype: "float32",
    torch_dtype: "float32",
  };
}

/** Keys of config.json whose number transformers wants as a float. */
export const GEMMA2_FLOAT_KEYS = new Set([
  "rope_theta",
  "final_logit_softcapping",
  "attn_logit_softcapping",
  "attention_dropout",
  "rms_norm_eps",
]);

export const EMBEDDING = "model.embed_tokens.weight";
export const FINAL_NORM = "model.norm.weight";

/** The beginning of a layer's weights' names. */
export const layerPrefix = (layer: number): string => `model.layers.${layer}.`;

/** Names and shapes of a model's weights, in the checkpoint's order. */
export function gemma2WeightShapes(config: Gemma2Config): Map<string, readonly number[]> {
  const { width, feedForwardWidth, heads, keyValueHeads, headWidth } = config;
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [config.vocabularySize, width]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const add = (name: string, ...shape: number[]): unknown => shapes.set(`${layerPrefix(layer)}${name}.weight`, shape);
    add("input_layernorm", width);
    add("self_attn.q_proj", heads * headWidth, width);
    add("self_attn.k_proj", keyValueHeads * headWidth, width);
    add("self_attn.v_proj", keyValueHeads * headWidth, width);
    add("self_attn.o_proj", width, heads * headWidth);
    add("post_attention_layernorm", width);
    add("pre_feedforward_layernorm", width);
    add("mlp.gate_proj", feedForwardWidth, width);
    add("mlp.up_proj", feedForwardWidth, width);
    add("mlp.down_proj", width, feedForwardWidth);
    add("post_feedforward_layernorm", width);
  }
  shapes.set(FINAL_NORM, [width]);
  return shapes;
}
