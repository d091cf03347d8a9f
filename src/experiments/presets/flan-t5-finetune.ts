import type { FinetuneConfiguration } from "../configuration/schema.js";
import { adamW, germanAndFrench, mmmlu, publishedSplit, untracked } from "./shared.js";

export const flanT5Finetune: FinetuneConfiguration = {
  kind: "finetune",
  name: "flan-t5-finetune",
  description: "google/flan-t5-base, all weights, on German and French",
  data: mmmlu(germanAndFrench),
  tokenizer: { source: "google/flan-t5-base", revision: null },
  filter: { text: "flan-t5", maxTokens: 256, inclusive: false, addSpecialTokens: true },
  split: publishedSplit,
  model: { source: "google/flan-t5-base", revision: null, quantization: "none", doubleQuantization: false },
  prompt: "flan-t5",
  target: { addEosToken: false },
  maxLength: 512,
  lora: null,
  training: {
    ...adamW,
    batchSize: 8,
    gradientAccumulationSteps: 1,
    learningRate: 2e-5,
    lrScheduler: "linear",
    warmupRatio: 0,
    weightDecay: 0.01,
    loggingSteps: 100,
    saveSteps: 500,
    validateEachEpoch: false,
    loadBestModelAtEnd: false,
  },
  // At most 4 tokens in all, the start token included.
  evaluation: { batchSize: 32, maxNewTokens: 3, answerExtraction: "first-character", baseline: true },
  device: "cpu",
  modelLink: "flan_t5_mmmlu_fr_de",
  tracking: untracked("mmmlu_flan_t5_de_fr"),
};
