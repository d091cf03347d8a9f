import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { accuracy, count, number } from "./figures.js";
import { adamW, germanAndFrench, mmmlu, publishedSplit, untracked } from "./shared.js";

const PUBLISHED = { baseline: 0.2833, final: 0.3332, testRows: 2344, steps: 4688, trainLoss: 1.390288294378808 };

export const flanT5Finetune: Experiment<FinetuneConfiguration> = {
  preset: {
    kind: "finetune",
    extends: "flan-t5-finetune",
    name: "flan-t5-finetune",
    description: "google/flan-t5-base, all weights, on German and French",
    data: mmmlu(germanAndFrench),
    tokenizer: { source: "google/flan-t5-base", revision: null },
    filter: { text: "flan-t5", maxTokens: 256, inclusive: false, addSpecialTokens: true },
    split: publishedSplit,
    model: {
      source: "google/flan-t5-base",
      revision: null,
      quantization: "none",
      doubleQuantization: false,
      torchDtype: "float32",
    },
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
  },
  deviations: [
    "Rows are packed without padding; losses and gradients are the same as with it.",
    "Dropout masks come from another generator than torch's: the same in distribution, not in each number.",
  ],
  accuracy: { baseline: PUBLISHED.baseline, final: PUBLISHED.final },
  figures: ({ metrics }) => [
    count("test rows", PUBLISHED.testRows, metrics.final?.n),
    accuracy("accuracy before training", PUBLISHED.baseline, metrics.baseline),
    accuracy("accuracy after training", PUBLISHED.final, metrics.final),
    count("steps", PUBLISHED.steps, metrics.training?.steps),
    number("training loss", PUBLISHED.trainLoss, metrics.training?.loss),
  ],
  finetune: {
    sampleModel: "t5",
    additionalExtractions: [],
    truncatesPrompts: false,
    measuresFinalLosses: false,
    finalMetrics: ({ accuracy }) => ({ final_test_accuracy: accuracy }),
  },
};
