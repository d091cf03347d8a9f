import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { type ConfigFile, parseConfig } from "../config-file.js";
import { refuseUnknownKeys } from "../known-keys.js";
import type { LanguageModelConfig } from "../language-model.js";
import type { DecoderDescription, GatedMlp, NormDescription } from "./description.js";
import { GATED_MLPS } from "./mlp.js";
import { type RopeParameters, ropeParametersOf, ropeScalingSchema, ropeSchema } from "./rope-parameters.js";
import { textConfig } from "./text-config.js";

/** A layer's attention reads a window of the last tokens, or all. */
export type LayerType = "sliding_attention" | "full_attention";

/**
 * What a decoder-only model is made of: its sizes from config.json (by transformers' names), the rest from its
 * architecture.
 */
export interface DecoderConfig extends LanguageModelConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Each is shared by numAttentionHeads / numKeyValueHeads queries' heads. */
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly maxPositionEmbeddings: number;
  readonly rmsNormEps: number;
  /** Scores are divided by its root. */
  readonly queryPreAttnScalar: number;
  /** A query of a windowed layer reads so many keys, its own included; null for all. */
  readonly slidingWindow: number | null;
  readonly layerTypes: readonly LayerType[];
  readonly ropeParameters: Readonly<Record<LayerType, RopeParameters>>;
  readonly finalLogitSoftcapping: number | null;
  readonly attnLogitSoftcapping: number | null;
  /** Whether the output layer is the embedding. */
  readonly tieWordEmbeddings: boolean;
  readonly bosTokenId: number | null;
  /** Which linear layers have biases. */
  readonly biases: { readonly queryKeyValue: boolean; readonly output: boolean; readonly mlp: boolean };
  readonly queryKeyNorm: boolean;
  readonly norm: NormDescription;
  readonly mlp: GatedMlp;
  readonly scaledEmbedding: boolean;
  /** What all weights' names begin with but the output layer's. */
  readonly prefix: string;
}

const size = z
  .number()
  .int()
  .positive()
  .max(2 ** 20);
const tokenId = z
  .number()
  .int()
  .nonnegative()
  .max(2 ** 31 - 1);
const positive = z.number().positive();

const schema = z.looseObject({
  vocab_size: z
    .number()
    .int()
    .positive()
    .max(2 ** 24),
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: z.number().int().positive().max(1024),
  num_attention_heads: z.number().int().positive().max(4096),
  num_key_value_heads: z.number().int().positive().max(4096).nullish(),
  head_dim: z
    .number()
    .int()
    .positive()
    .max(2 ** 14)
    .multipleOf(2)
    .nullish(),
  hidden_activation: z.string().nullish(),
  hidden_act: z.string().nullish(),
  max_position_embeddings: z
    .number()
    .int()
    .positive()
    .max(2 ** 31 - 1),
  rms_norm_eps: positive.max(1),
  rope_theta: positive.nullish(),
  rope_local_base_freq: positive.nullish(),
  original_max_position_embeddings: z.number().int().positive().nullish(),
  rope_scaling: ropeScalingSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  query_pre_attn_scalar: positive.nullish(),
  sliding_window: z
    .number()
    .int()
    .positive()
    .max(2 ** 31 - 1)
    .nullish(),
  layer_types: z.array(z.enum(["sliding_attention", "full_attention"])).nullish(),
  final_logit_softcapping: positive.nullish(),
  attn_logit_softcapping: positive.nullish(),
  tie_word_embeddings: z.boolean(),
  /** -1: none, as early Llamas have it. */
  pad_token_id: z.union([tokenId, z.literal(-1)]).nullish(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId).max(64)]).nullish(),
});

/** Keys that change something only in architectures whose description has them. */
const OF_SOME = new Set([
  "attention_bias",
  "final_logit_softcapping",
  "attn_logit_softcapping",
  "mlp_bias",
  "query_pre_attn_scalar",
  "rope_local_base_freq",
  "sliding_window",
]);

/**
 * Reads the configuration of an architecture's model; keys that are absent have the values that the description gives.
 * @throws {UserError} where a key is wrong or says something that is not supported
 */
export function parseDecoderConfig(
  file: Pick<ConfigFile, "path" | "json">,
  description: DecoderDescription,
): DecoderConfig {
  const { path, json: given, prefix } = textConfig(file, description);
  const raw = { ...description.config, ...given };
  const json = parseConfig({ path, json: raw }, schema, description.title);
  const { unheeded = [] } = (prefix === description.within?.prefix && description.within) || {};
  refuseUnknownKeys(
    path,
    given,
    [
      ...Object.keys(schema.shape).filter((known) => !OF_SOME.has(known)),
      ...Object.keys(description.config),
      ...(description.rope.slidingTheta === undefined ? [] : ["rope_local_base_freq"]),
    ].filter((known) => !unheeded.includes(known)),
  );
  const { key, name } = GATED_MLPS[description.mlp];
  const activation = json[key] ?? name;
  if (activation !== name)
    throw new UserError(`${path}: ${key} ${JSON.stringify(activation)} is not supported`, {
      hint: `Supported: ${name}.`,
    });
  const numKeyValueHeads = json.num_key_value_heads ?? json.num_attention_heads;
  if (json.num_attention_heads % numKeyValueHeads !== 0)
    throw new UserError(
      `${path}: ${json.num_attention_heads} heads cannot share ${numKeyValueHeads} key-value heads evenly`,
      { hint: "Copy config.json anew from where the model comes from." },
    );
  const headDim = json.head_dim ?? json.hidden_size / json.num_attention_heads;
  if (headDim % 2 !== 0)
    throw new UserError(
      `${path}: hidden_size ${json.hidden_size} does not give ${json.num_attention_heads} heads of an even size`,
      { hint: "Is head_dim missing?" },
    );
  if (json.layer_types && json.layer_types.length !== json.num_hidden_layers)
    throw new UserError(
      `${path}: layer_types has ${json.layer_types.length} entries for ${json.num_hidden_layers} layers`,
      { hint: "Copy config.json anew from where the model comes from." },
    );
  const { slides = () => false } = description.attention;
  // Gemma goes by its layers alone, whatever such a key says.
  const windowed = !Object.hasOwn(description.config, "use_sliding_window") || raw["use_sliding_window"] === true;
  const slidingWindow = windowed ? (json.sliding_window ?? null) : null;
  const layerTypes =
    json.layer_types ??
    Array.from({ length: json.num_hidden_layers }, (_, layer) =>
      slides(layer, raw) ? "sliding_attention" : "full_attention",
    );
  if (slidingWindow === null && layerTypes.includes("sliding_attention"))
    throw new UserError(`${path}: layers' attention is windowed (layer_types), and there is no sliding_window`, {
      hint: "Copy config.json anew from where the model comes from; all layers full_attention if none is windowed.",
    });
  const end = json.eos_token_id ?? [];
  return {
    vocabSize: json.vocab_size,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    numHiddenLayers: json.num_hidden_layers,
    numAttentionHeads: json.num_attention_heads,
    numKeyValueHeads,
    headDim,
    maxPositionEmbeddings: json.max_position_embeddings,
    rmsNormEps: json.rms_norm_eps,
    queryPreAttnScalar: json.query_pre_attn_scalar ?? headDim,
    slidingWindow,
    layerTypes,
    ropeParameters: ropeParametersOf(path, json, description.rope),
    finalLogitSoftcapping: json.final_logit_softcapping ?? null,
    attnLogitSoftcapping: json.attn_logit_softcapping ?? null,
    tieWordEmbeddings: json.tie_word_embeddings,
    padTokenId: Math.max(0, json.pad_token_id ?? 0),
    bosTokenId: json.bos_token_id ?? null,
    eosTokenIds: typeof end === "number" ? [end] : end,
    biases: {
      queryKeyValue: description.attention.queryKeyValueBias ?? json.attention_bias ?? false,
      output: json.attention_bias ?? false,
      mlp: json.mlp_bias ?? false,
    },
    queryKeyNorm: description.attention.queryKeyNorm ?? false,
    norm: description.norm,
    mlp: description.mlp,
    scaledEmbedding: description.embedding.scaled,
    prefix,
  };
}
