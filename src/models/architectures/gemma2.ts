import { decoderOnly } from "../decoder/decoder-only.js";

/**
 * Gemma 2 (Gemma Team 2024): a norm before and after each sublayer, every other layer's attention windowed, soft caps.
 */
export const gemma2 = decoderOnly({
  modelType: "gemma2",
  title: "Gemma 2",
  causalLM: "Gemma2ForCausalLM",
  license: "gemma",
  config: {
    head_dim: 256,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-6,
    attention_bias: false,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    layer_types: null,
    final_logit_softcapping: 30,
    attn_logit_softcapping: 50,
    tie_word_embeddings: true,
    pad_token_id: 0,
    bos_token_id: 2,
    eos_token_id: 1,
  },
  embedding: { scaled: true },
  norm: {
    storedLessOne: true,
    beforeAttention: "input_layernorm",
    afterAttention: "post_attention_layernorm",
    beforeMlp: "pre_feedforward_layernorm",
    afterMlp: "post_feedforward_layernorm",
  },
  attention: { slides: (layer) => layer % 2 === 0 },
  mlp: "gelu-tanh-gated",
  rope: { theta: 10_000 },
  transformersJs: true,
  gguf: {
    architecture: "gemma2",
    windowPattern: 2,
    keys: { attn_logit_softcapping: "attn_logit_softcapping", final_logit_softcapping: "final_logit_softcapping" },
    // llama.cpp knows the 27B model by its number of layers.
    queryScalar: ({ layers, hidden, heads, headDim }) => (layers === 46 ? hidden / heads : headDim),
  },
  tokens: { beforeAnswer: " ", opensWithBos: true },
});
