import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { accuracy, confusionFigures, count, lossFigures, number, subjectFigures } from "./figures.js";
import { confusion, losses, subjects } from "./flan-t5-finetune.published.js";
import { adamW, germanAndFrench, mmmlu, publishedSplit, untracked } from "./shared.js";

const PUBLISHED = {
  baseline: 0.2833,
  final: 0.3332,
  testRows: 2344,
  steps: 4688,
  trainLoss: 1.390288294378808,
  seconds: 1357.195,
  rowsPerSecond: 27.628,
};

const publishedLosses = { every: 100, losses };

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
    deviceMemory: null,
    modelLink: "flan_t5_mmmlu_fr_de",
    tracking: untracked("mmmlu_flan_t5_de_fr"),
  },
  runName: "flan-t5-1epoch",
  downloadBytes: 1.0e9,
  deviations: [
    "Subjects are cleaned of the file names that some languages' files carry; German and French carry none.",
    "The model is saved, and outputs/flan_t5_mmmlu_fr_de leads to it; the published run saved nothing there.",
    "Libraries and their kernels are others than transformers 4.52.3 and torch 2.7.0 on a GPU: sums are added " +
      "up in another order.",
    "The best and worst subjects are named among those with enough questions; the published ones, of one and " +
      "two rows, beside them.",
    "Rows are packed without padding; losses and gradients are the same as with it.",
    "A reply ends as soon as its first character is known; what is read is the same.",
    "Dropout masks come from another generator than torch's: the same in distribution, not in each number.",
  ],
  accuracy: { baseline: PUBLISHED.baseline, final: PUBLISHED.final },
  figures: ({ metrics, trainLog }) => [
    count("test rows", PUBLISHED.testRows, metrics.final?.n),
    accuracy("accuracy before training", PUBLISHED.baseline, metrics.baseline),
    accuracy("accuracy after training", PUBLISHED.final, metrics.final),
    count("steps", PUBLISHED.steps, metrics.training?.steps),
    number("training loss", PUBLISHED.trainLoss, metrics.training?.loss),
    number("seconds of training", PUBLISHED.seconds, metrics.training?.seconds),
    number("rows a second", PUBLISHED.rowsPerSecond, metrics.training?.rowsPerSecond),
    ...confusionFigures("confusion matrix after training", confusion, metrics.final),
    ...subjectFigures(" after training", subjects, metrics.final),
    ...lossFigures(publishedLosses, trainLog),
  ],
  finetune: {
    modelConfig: {
      model_type: "t5",
      vocab_size: 32_128,
      d_model: 768,
      d_kv: 64,
      d_ff: 2048,
      num_layers: 12,
      num_decoder_layers: 12,
      num_heads: 12,
      relative_attention_num_buckets: 32,
      relative_attention_max_distance: 128,
      dropout_rate: 0.1,
      layer_norm_epsilon: 1e-6,
      feed_forward_proj: "gated-gelu",
      tie_word_embeddings: false,
      decoder_start_token_id: 0,
      pad_token_id: 0,
      eos_token_id: 1,
    },
    sampleModel: "t5",
    additionalExtractions: [],
    truncatesPrompts: false,
    measuresFinalLosses: false,
    publishedLosses,
    finalMetrics: ({ accuracy }) => ({ final_test_accuracy: accuracy }),
  },
};
