import { decoderOnly } from "../decoder/decoder-only.js";

/** Llama 2 and 3 (Touvron et al. 2023; Grattafiori et al. 2024), with the rotary scaling of 3.1 and 3.2. */
export const llama = decoderOnly({
  modelType: "llama",
  title: "Llama 2 and 3",
  causalLM: "LlamaForCausalLM",
  config: {
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-6,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: false,
    bos_token_id: 1,
    eos_token_id: 2,
  },
  embedding: { scaled: false },
  norm: { storedLessOne: false, beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
  attention: {},
  mlp: "silu-gated",
  rope: { theta: 10_000 },
  transformersJs: true,
  gguf: { architecture: "llama", neighboursRotated: true, anyBiases: true },
  tokens: { beforeAnswer: " ", opensWithBos: true },
});
