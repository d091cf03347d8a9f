import type { DecoderConfig } from "./config.js";
import type { DecoderDescription } from "./description.js";
import { GATED_MLPS } from "./mlp.js";
import { ropeConfigJson } from "./rope-parameters.js";

/** config.json of a model, such that old and new versions of transformers read it alike. */
export function decoderConfigJson(config: DecoderConfig, description: DecoderDescription): Record<string, unknown> {
  const { name } = GATED_MLPS[description.mlp];
  const own: Record<string, unknown> = {
    attention_bias: config.biases.output,
    mlp_bias: config.biases.mlp,
    query_pre_attn_scalar: config.queryPreAttnScalar,
    sliding_window: config.slidingWindow,
    use_sliding_window: config.layerTypes.includes("sliding_attention"),
    layer_types: config.layerTypes,
    final_logit_softcapping: config.finalLogitSoftcapping,
    attn_logit_softcapping: config.attnLogitSoftcapping,
  };
  return {
    architectures: [description.causalLM],
    model_type: description.modelType,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    hidden_act: name,
    ...(description.mlp === "gelu-tanh-gated" ? { hidden_activation: name } : {}),
    max_position_embeddings: config.maxPositionEmbeddings,
    rms_norm_eps: config.rmsNormEps,
    ...ropeConfigJson(config.ropeParameters, description.rope),
    attention_dropout: 0,
    ...Object.fromEntries(Object.entries(own).filter(([key]) => Object.hasOwn(description.config, key))),
    tie_word_embeddings: config.tieWordEmbeddings,
    pad_token_id: config.padTokenId,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenIds.length === 1 ? config.eosTokenIds[0] : config.eosTokenIds,
    use_cache: true,
    dtype: "float32",
    torch_dtype: "float32",
  };
}

/** generation_config.json of a model that was loaded without one. */
export function decoderGenerationConfig({
  bosTokenId,
  eosTokenIds,
  padTokenId,
}: DecoderConfig): Record<string, unknown> {
  return {
    ...(bosTokenId === null ? {} : { bos_token_id: bosTokenId }),
    eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds,
    pad_token_id: padTokenId,
  };
}

/** Keys of config.json whose number transformers wants as a float. */
export const FLOAT_KEYS: ReadonlySet<string> = new Set([
  "rope_theta",
  "rope_local_base_freq",
  "factor",
  "low_freq_factor",
  "high_freq_factor",
  "final_logit_softcapping",
  "attn_logit_softcapping",
  "attention_dropout",
  "rms_norm_eps",
]);
