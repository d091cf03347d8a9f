import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { gemma2Finetune } from "./gemma-2-2b-finetune.js";

const name = "gemma-3-270m-finetune";

/** The recipe of Gemma 2 on a tenth of its parameters: a first real fine-tuning that needs no GPU. */
export const gemma3SmallFinetune: Experiment<FinetuneConfiguration> = {
  preset: {
    ...gemma2Finetune.preset,
    extends: name,
    name,
    description: "google/gemma-3-270m with 4-bit QLoRA on German and French: sized for a laptop",
    tokenizer: { source: "google/gemma-3-270m", revision: null },
    data: { ...gemma2Finetune.preset.data, limit: 400 },
    filter: { ...gemma2Finetune.preset.filter, maxTokens: 128 },
    split: { kind: "grouped", shape: "80/10/10", seed: 42 },
    model: {
      source: "google/gemma-3-270m",
      revision: null,
      quantization: "nf4",
      doubleQuantization: false,
      torchDtype: "float32",
    },
    maxLength: 160,
    lora: { ...gemma2Finetune.preset.lora!, r: 8 },
    training: {
      ...gemma2Finetune.preset.training,
      batchSize: 16,
      gradientAccumulationSteps: 1,
      epochs: 1,
      maxSteps: 100,
      validateEachEpoch: false,
      loadBestModelAtEnd: false,
      saveSteps: 25,
      learningRate: 2e-4,
      loggingSteps: 10,
    },
    tracking: { ...gemma2Finetune.preset.tracking, project: "mmmlu-lab" },
  },
  downloadBytes: 0.5e9,
  deviations: [],
  // Nothing is published of it: its report has no column of published figures.
  accuracy: {},
  figures: () => [],
  finetune: {
    modelConfig: {
      model_type: "gemma3_text",
      vocab_size: 262_144,
      hidden_size: 640,
      intermediate_size: 2048,
      num_hidden_layers: 18,
      num_attention_heads: 4,
      num_key_value_heads: 1,
      head_dim: 256,
      hidden_activation: "gelu_pytorch_tanh",
      max_position_embeddings: 32_768,
      rms_norm_eps: 1e-6,
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
      attention_bias: false,
      query_pre_attn_scalar: 256,
      sliding_window: 512,
      layer_types: Array.from({ length: 18 }, (_, i) => (i % 6 === 5 ? "full_attention" : "sliding_attention")),
      tie_word_embeddings: true,
      pad_token_id: 0,
      bos_token_id: 2,
      eos_token_id: 1,
    },
    sampleModel: "gemma",
    additionalExtractions: [],
    truncatesPrompts: false,
    measuresFinalLosses: false,
    finalMetrics: ({ accuracy }) => ({ final_test_accuracy: accuracy }),
  },
};
