import type { FinetuneConfiguration } from "../configuration.js";
import { adamW, germanAndFrench, mmmlu, publishedSplit, untracked } from "./shared.js";

export const flanT5Finetune: FinetuneConfiguration = {
  kind: "finetune",
  name: "flan-t5-finetune",
  description: "google/flan-t5-base, all weights, on German and French",
  data: mmmlu(germanAndFrench),
  tokenizer: { source: "google/flan-t5-base", revision: null },
  filter: { text: "flan-t5", maximumTokens: 256, inclusive: false, specialTokens: true },
  split: publishedSplit,
  model: { source: "google/flan-t5-base", revision: null, quantization: "none", doubleQuantization: false },
  prompt: "flan-t5",
  target: { endOfSequence: false },
  maximumTokens: 512,
  lora: null,
  training: {
    ...adamW,
    batchSize: 8,
    accumulation: 1,
    learningRate: 2e-5,
    schedule: "linear",
    warmupRatio: 0,
    weightDecay: 0.01,
    logEvery: 100,
    checkpointEvery: 500,
    validateEachEpoch: false,
    keepBest: false,
  },
  // At most 4 tokens in all, the start token included.
  evaluation: { batchSize: 32, maximumNewTokens: 3, reading: "first-character", baseline: true },
  device: "cpu",
  modelLink: "flan_t5_mmmlu_fr_de",
  tracking: untracked("mmmlu_flan_t5_de_fr"),
};
