import { decoderOnly, fromLayer } from "../decoder/decoder-only.js";

/** Qwen 3 (Yang et al. 2025), dense: queries and keys are normed head by head instead of having biases. */
export const qwen3 = decoderOnly({
  modelType: "qwen3",
  title: "Qwen 3",
  causalLM: "Qwen3ForCausalLM",
  config: {
    head_dim: 128,
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    attention_bias: false,
    use_sliding_window: false,
    sliding_window: 4096,
    max_window_layers: 28,
    layer_types: null,
    tie_word_embeddings: false,
  },
  embedding: { scaled: false },
  norm: { storedLessOne: false, beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
  attention: { queryKeyNorm: true, slides: fromLayer("max_window_layers") },
  mlp: "silu-gated",
  rope: { theta: 10_000 },
  transformersJs: true,
  gguf: { architecture: "qwen3" },
  tokens: { beforeAnswer: " ", opensWithBos: false },
});
