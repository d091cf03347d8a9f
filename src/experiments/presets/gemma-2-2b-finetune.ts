import type { FinetuneConfiguration } from "../configuration.js";
import { adamW, germanAndFrench, mmmlu, publishedSplit, untracked } from "./shared.js";

export const gemma2Finetune: FinetuneConfiguration = {
  kind: "finetune",
  name: "gemma-2-2b-finetune",
  description: "google/gemma-2-2b with 4-bit QLoRA on German and French",
  data: mmmlu(germanAndFrench),
  tokenizer: { source: "google/gemma-2-2b", revision: null },
  filter: { text: "gemma-2", maximumTokens: 256, inclusive: true, specialTokens: true },
  split: publishedSplit,
  model: { source: "google/gemma-2-2b", revision: null, quantization: "fp4", doubleQuantization: false },
  prompt: "gemma-2",
  target: { endOfSequence: true },
  maximumTokens: 300,
  lora: {
    rank: 32,
    alpha: 16,
    dropout: 0.05,
    modules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
  },
  training: {
    ...adamW,
    batchSize: 4,
    accumulation: 4,
    learningRate: 1e-4,
    schedule: "cosine",
    warmupRatio: 0.05,
    logEvery: 25,
    checkpointEvery: 50,
    validateEachEpoch: true,
    keepBest: true,
  },
  evaluation: { batchSize: 8, maximumNewTokens: 5, reading: "first-match", baseline: true },
  device: "cpu",
  modelLink: null,
  tracking: untracked("gemma-nlp_lab2_mmmlu_ft_corrected"),
};
