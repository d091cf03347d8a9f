import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { accuracy, count, number } from "./figures.js";
import { adamW, germanAndFrench, mmmlu, publishedSplit, untracked } from "./shared.js";

const PUBLISHED = {
  baseline: 0.3751,
  final: 0.5392,
  rowsAfterFilter: 23_696,
  train: 18_956,
  validation: 2370,
  testRows: 2370,
  steps: 2370,
  trainLoss: 0.4726693630218506,
  testPerplexity: 1.69,
  trainableParameters: 41_533_440,
};

export const gemma2Finetune: Experiment<FinetuneConfiguration> = {
  preset: {
    kind: "finetune",
    extends: "gemma-2-2b-finetune",
    name: "gemma-2-2b-finetune",
    description: "google/gemma-2-2b with 4-bit QLoRA on German and French",
    data: mmmlu(germanAndFrench),
    tokenizer: { source: "google/gemma-2-2b", revision: null },
    filter: { text: "gemma-2", maxTokens: 256, inclusive: true, addSpecialTokens: true },
    split: publishedSplit,
    model: {
      source: "google/gemma-2-2b",
      revision: null,
      quantization: "fp4",
      doubleQuantization: false,
      torchDtype: "float16",
    },
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
  },
  deviations: [
    "Rows are packed without padding and logits are computed only where there is a label; losses and gradients are the same.",
    "Arithmetic is float32 throughout; the published run computed 4-bit products in bfloat16.",
    "Dropout masks come from another generator than torch's.",
  ],
  accuracy: { baseline: PUBLISHED.baseline, final: PUBLISHED.final },
  figures: ({ metrics, manifest: { data, model, split } }) => [
    count("rows after the filter", PUBLISHED.rowsAfterFilter, data?.["rowsKept"]),
    count("parameters trained", PUBLISHED.trainableParameters, model?.["trainedParameters"]),
    count("train rows", PUBLISHED.train, split?.["train"]),
    count("validation rows", PUBLISHED.validation, split?.["validation"]),
    count("test rows", PUBLISHED.testRows, metrics.final?.n),
    accuracy("accuracy before training", PUBLISHED.baseline, metrics.baseline),
    accuracy("accuracy after training", PUBLISHED.final, metrics.final),
    count("steps", PUBLISHED.steps, metrics.training?.steps),
    number("training loss", PUBLISHED.trainLoss, metrics.training?.loss),
    number("test perplexity", PUBLISHED.testPerplexity, metrics.losses?.["test"]?.perplexity),
  ],
  finetune: {
    sampleModel: "gemma",
    additionalExtractions: ["last-match"],
    truncatesPrompts: true,
    measuresFinalLosses: true,
    finalMetrics: ({ accuracy, losses }) => ({
      post_ft_test_accuracy: accuracy,
      ...(losses
        ? {
            final_val_loss: losses.validation,
            final_val_ppl: Math.exp(losses.validation),
            final_test_loss: losses.test,
            final_test_ppl: Math.exp(losses.test),
          }
        : {}),
    }),
  },
};
