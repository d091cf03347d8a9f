import { decoderOnly } from "../decoder/decoder-only.js";

/** Of the layers from one full one to the next, how many there are: the others' attention is windowed. */
const patternOf = (json: Readonly<Record<string, unknown>>): number => json["sliding_window_pattern"] as number;

/**
 * Gemma 3's text model (Gemma Team 2025): as Gemma 2, with normed queries and keys and two rotary bases, without soft
 * caps.
 */
export const gemma3 = decoderOnly({
  modelType: "gemma3_text",
  title: "Gemma 3 (text)",
  causalLM: "Gemma3ForCausalLM",
  license: "gemma",
  config: {
    vocab_size: 262_208,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 26,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 131_072,
    rms_norm_eps: 1e-6,
    attention_bias: false,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    sliding_window_pattern: 6,
    layer_types: null,
    final_logit_softcapping: null,
    tie_word_embeddings: true,
    pad_token_id: 0,
    bos_token_id: 2,
    eos_token_id: 1,
  },
  within: {
    modelType: "gemma3",
    configKey: "text_config",
    prefix: "model.language_model.",
    storedAs: {
      "language_model.model.": "model.language_model.",
      "language_model.lm_head.": "lm_head.",
      "vision_tower.": "model.vision_tower.",
      "multi_modal_projector.": "model.multi_modal_projector.",
    },
    left: ["model.vision_tower.", "model.multi_modal_projector."],
    unheeded: ["final_logit_softcapping"],
  },
  embedding: { scaled: true },
  norm: {
    storedLessOne: true,
    beforeAttention: "input_layernorm",
    afterAttention: "post_attention_layernorm",
    beforeMlp: "pre_feedforward_layernorm",
    afterMlp: "post_feedforward_layernorm",
  },
  attention: { queryKeyNorm: true, slides: (layer, json) => (layer + 1) % patternOf(json) !== 0 },
  mlp: "gelu-tanh-gated",
  rope: { theta: 1_000_000, slidingTheta: 10_000 },
  transformersJs: true,
  gguf: {
    architecture: "gemma3",
    windowPattern: 6,
    keys: { final_logit_softcapping: "final_logit_softcapping" },
    // llama.cpp knows the 27B model by its number of layers.
    queryScalar: ({ layers, hidden, heads, headDim }) => (layers === 62 ? hidden / heads : headDim),
  },
  tokens: { beforeAnswer: " ", opensWithBos: true },
});
