import type { FinetuneConfiguration } from "../configuration/schema.js";
import { adamW, germanAndFrench, mmmlu, publishedSplit, untracked } from "./shared.js";

export const gemma2Finetune: FinetuneConfiguration = {
  kind: "finetune",
  name: "gemma-2-2b-finetune",
  description: "google/gemma-2-2b with 4-bit QLoRA on German and French",
  data: mmmlu(germanAndFrench),
  tokenizer: { source: "google/gemma-2-2b", revision: null },
  filter: { text: "gemma-2", maxTokens: 256, inclusive: true, addSpecialTokens: true },
  split: publishedSplit,
  model: { source: "google/gemma-2-2b", revision: null, quantization: "fp4", doubleQuantization: false },
  prompt: "gemma-2",
  target: { addEosToken: true },
  maxLength: 300,
  lora: {
    r: 32,
    alpha: 16,
    dropout: 0.05,
    targetModules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
  },
  training: {
    ...adamW,
    batchSize: 4,
    gradientAccumulationSteps: 4,
    learningRate: 1e-4,
    lrScheduler: "cosine",
    warmupRatio: 0.05,
    loggingSteps: 25,
    saveSteps: 50,
    validateEachEpoch: true,
    loadBestModelAtEnd: true,
  },
  evaluation: { batchSize: 8, maxNewTokens: 5, answerExtraction: "first-match", baseline: true },
  device: "cpu",
  modelLink: null,
  tracking: untracked("gemma-nlp_lab2_mmmlu_ft_corrected"),
};
