import { decoderOnly, fromLayer } from "../decoder/decoder-only.js";

/** Qwen 2 and 2.5 (Yang et al. 2024): queries, keys and values have biases; no token opens a text. */
export const qwen2 = decoderOnly({
  modelType: "qwen2",
  title: "Qwen 2 and 2.5",
  causalLM: "Qwen2ForCausalLM",
  config: {
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    use_sliding_window: false,
    sliding_window: 4096,
    max_window_layers: 28,
    layer_types: null,
    tie_word_embeddings: false,
  },
  embedding: { scaled: false },
  norm: { storedLessOne: false, beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
  attention: { queryKeyValueBias: true, slides: fromLayer("max_window_layers") },
  mlp: "silu-gated",
  rope: { theta: 10_000 },
  transformersJs: true,
  gguf: { architecture: "qwen2" },
  tokens: { beforeAnswer: " ", opensWithBos: false },
});
