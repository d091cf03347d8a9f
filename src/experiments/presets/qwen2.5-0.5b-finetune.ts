import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { gemma3SmallFinetune } from "./gemma-3-270m-finetune.js";

const name = "qwen2.5-0.5b-finetune";
const source = { source: "Qwen/Qwen2.5-0.5B", revision: null };

/** The same with weights that nobody has to ask for, and fewer rows: its layers hold three and a half times as many. */
export const qwen25SmallFinetune: Experiment<FinetuneConfiguration> = {
  ...gemma3SmallFinetune,
  downloadBytes: 1.0e9,
  finetune: {
    ...gemma3SmallFinetune.finetune!,
    modelConfig: {
      model_type: "qwen2",
      vocab_size: 151_936,
      hidden_size: 896,
      intermediate_size: 4864,
      num_hidden_layers: 24,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      hidden_act: "silu",
      max_position_embeddings: 32_768,
      rms_norm_eps: 1e-6,
      rope_theta: 1_000_000,
      tie_word_embeddings: true,
      bos_token_id: 151_643,
      eos_token_id: 151_643,
    },
  },
  preset: {
    ...gemma3SmallFinetune.preset,
    extends: name,
    name,
    description: "Qwen/Qwen2.5-0.5B with 4-bit QLoRA on German and French: sized for a laptop, no licence to accept",
    tokenizer: source,
    data: { ...gemma3SmallFinetune.preset.data, limit: 200 },
    filter: { ...gemma3SmallFinetune.preset.filter, maxTokens: 96 },
    model: { ...gemma3SmallFinetune.preset.model, ...source },
    training: { ...gemma3SmallFinetune.preset.training, maxSteps: 40 },
  },
};
