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
    filter: { ...gemma2Finetune.preset.filter, maxTokens: 200 },
    split: { kind: "grouped", shape: "80/10/10", seed: 42 },
    model: {
      source: "google/gemma-3-270m",
      revision: null,
      quantization: "nf4",
      doubleQuantization: false,
      torchDtype: "float32",
    },
    maxLength: 256,
    lora: { ...gemma2Finetune.preset.lora!, r: 8 },
    training: {
      ...gemma2Finetune.preset.training,
      batchSize: 16,
      gradientAccumulationSteps: 1,
      epochs: 1,
      maxSteps: 250,
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
    sampleModel: "gemma",
    additionalExtractions: [],
    truncatesPrompts: false,
    measuresFinalLosses: true,
    finalMetrics: ({ accuracy }) => ({ final_test_accuracy: accuracy }),
  },
};
