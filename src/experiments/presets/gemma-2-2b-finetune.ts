import { z } from "zod";
import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { Experiment, MeasuredMetrics } from "./experiment.js";
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
  seconds: 13_491.651,
  rowsPerSecond: 2.81,
  rowsLoaded: 28_084,
  validationPerplexity: 1.68685,
  testPerplexity: 1.68537,
  testLoss: 0.52199,
  trainableParameters: 41_533_440,
  // Those of the base and of the adapter.
  parameters: 2_655_875_328,
  validationLosses: [0.522862, 0.53891],
  epochLosses: [0.5477, 0.3388],
  bestEpoch: 1,
  floatingPointOperations: 1.409906483048448e17,
  baselineSeconds: 441,
  finalSeconds: 201,
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
    deviceMemory: null,
    modelLink: null,
    tracking: untracked("gemma-nlp_lab2_mmmlu_ft_corrected"),
  },
  runName: "gemma-2b-mmmlu-de-fr-qlora-corrected-2epochs-lr1e-4",
  downloadBytes: 10.5e9,
  deviations: [
    "All arithmetic is float32, in training and in evaluation. The published run computed every product " +
      "(LoRA's, attention's, the output layer's) in bfloat16, and took the largest of soft-capped logits that " +
      "were bfloat16, ties going to the lower token id: how many rows' two best letters lie within one " +
      "bfloat16 step is counted as near ties.",
    "LoRA's A is drawn with the training seed; the published run drew it before any seed was set, so that its " +
      "start cannot be repeated.",
    "Rows are packed without padding and logits are computed only where there is a label; losses and gradients " +
      "are the same.",
    "Dropout masks come from another generator than torch's: the same in distribution, not in each number.",
    "Weights are quantized as bitsandbytes does on a CPU; its GPU kernel may choose the other code where a " +
      "value lies midway between two.",
    "Subjects are cleaned of the file names that some languages' files carry; German and French carry none.",
    "The best and worst subjects are named among those with enough questions; those by plain accuracy, as " +
      "published, stand beside them.",
  ],
  accuracy: { baseline: PUBLISHED.baseline, final: PUBLISHED.final },
  figures: ({ metrics, manifest: { data, model, split }, trainLog }) => [
    count("rows read", PUBLISHED.rowsLoaded, data?.["rows"]),
    count("rows after the filter", PUBLISHED.rowsAfterFilter, data?.["rowsKept"]),
    count("parameters trained", PUBLISHED.trainableParameters, model?.["trainedParameters"]),
    count("parameters in all", PUBLISHED.parameters, model?.["parameters"]),
    count("train rows", PUBLISHED.train, split?.["train"]),
    count("validation rows", PUBLISHED.validation, split?.["validation"]),
    count("test rows", PUBLISHED.testRows, metrics.final?.n),
    accuracy("accuracy before training", PUBLISHED.baseline, metrics.baseline),
    accuracy("accuracy after training", PUBLISHED.final, metrics.final),
    count("steps", PUBLISHED.steps, metrics.training?.steps),
    number("training loss", PUBLISHED.trainLoss, metrics.training?.loss),
    number("seconds of training", PUBLISHED.seconds, metrics.training?.seconds),
    number("rows a second", PUBLISHED.rowsPerSecond, metrics.training?.rowsPerSecond),
    number("floating-point operations, as transformers estimates them", PUBLISHED.floatingPointOperations, undefined),
    number("seconds of evaluation before training", PUBLISHED.baselineSeconds, metrics.baseline?.seconds),
    number("seconds of evaluation after training", PUBLISHED.finalSeconds, metrics.final?.seconds),
    ...PUBLISHED.validationLosses.map((loss, index) =>
      number(`validation loss after epoch ${index + 1}`, loss, epochs(metrics)[index]?.loss),
    ),
    ...PUBLISHED.epochLosses.map((loss, index) =>
      number(
        `training loss logged at the end of epoch ${index + 1}`,
        loss,
        trainLog?.findLast(({ step }) => step <= (epochs(metrics)[index]?.step ?? 0))?.loss,
      ),
    ),
    count("best epoch", PUBLISHED.bestEpoch, metrics.training?.bestEpoch),
    number("validation perplexity", PUBLISHED.validationPerplexity, metrics.losses?.["validation"]?.perplexity),
    number("test loss", PUBLISHED.testLoss, metrics.losses?.["test"]?.loss),
    number("test perplexity", PUBLISHED.testPerplexity, metrics.losses?.["test"]?.perplexity),
  ],
  finetune: {
    modelConfig: {
      model_type: "gemma2",
      vocab_size: 256_000,
      hidden_size: 2304,
      intermediate_size: 9216,
      num_hidden_layers: 26,
      num_attention_heads: 8,
      num_key_value_heads: 4,
      head_dim: 256,
      hidden_activation: "gelu_pytorch_tanh",
      max_position_embeddings: 8192,
      rms_norm_eps: 1e-6,
      rope_theta: 10_000,
      attention_bias: false,
      query_pre_attn_scalar: 256,
      sliding_window: 4096,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
      pad_token_id: 0,
      bos_token_id: 2,
      eos_token_id: 1,
    },
    sampleModel: "gemma",
    additionalExtractions: ["last-match"],
    truncatesPrompts: true,
    measuresFinalLosses: true,
    publishedValidationLosses: PUBLISHED.validationLosses,
    exampleQuestion: {
      question: "Was ist die Hauptstadt von Frankreich?",
      choices: ["Berlin", "Paris", "London", "Madrid"],
      answer: "B",
    },
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

const validations = z.array(z.looseObject({ step: z.number(), loss: z.number() }));

const epochs = ({ training }: MeasuredMetrics): z.infer<typeof validations> =>
  validations.safeParse(training?.validations).data ?? [];
