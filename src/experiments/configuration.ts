import { z } from "zod";
import { readingNames } from "../answer/index.js";
import { isServerAddress } from "../base/addresses.js";

/*
 * What an experiment is. Presets, files and `--set` all end here: every key has a meaning below, and a key that
 * is not below is an error. Defaults are the published protocol's where it says something.
 */

const positive = z.number().positive();
const wholePositive = z.number().int().positive();
const wholeNotNegative = z.number().int().nonnegative();
const share = z.number().min(0).max(1);
const shareBelowOne = z.number().min(0).lt(1);

export const textNames = ["question-and-choices", "flan-t5", "gemma-2"] as const;

const dataSchema = z.strictObject({
  /** A hub id, a folder with `test/mmlu_XX-YY.csv`, or `sample`. */
  source: z.string().min(1),
  /** A commit, branch or tag of the hub's repository; null means the pinned one. */
  revision: z.string().nullable(),
  languages: z.array(z.string().regex(/^[A-Z]{2}_[A-Z]{2}$/, "such as DE_DE")).min(1),
  /** Only the first so many rows of each language, for a trial; null means all. */
  rowsPerLanguage: wholePositive.nullable(),
});

const repositorySchema = z.strictObject({
  /** A hub id, a folder, or `sample` for the tiny one made on the spot. */
  source: z.string().min(1),
  revision: z.string().nullable(),
});

const filterSchema = z.strictObject({
  /** The text whose tokens are counted. */
  text: z.enum(textNames),
  maximumTokens: wholePositive,
  /** Whether a row of exactly `maximumTokens` stays. */
  inclusive: z.boolean(),
  /** Whether the tokenizer's own special tokens (`</s>`, `<bos>`) count. */
  specialTokens: z.boolean(),
});

const splitSchema = z.strictObject({
  /** `published`: row for row what Python `datasets` gives; `grouped`: translations and duplicates of a question stay on one side. */
  kind: z.enum(["published", "grouped"]),
  /** `80/10/10`, or `90/10-shuffled`: concatenate, shuffle, one split; only its test part is used. */
  shape: z.enum(["80/10/10", "90/10-shuffled"]),
  seed: wholeNotNegative,
});

const trackingSchema = z.strictObject({
  wandb: z.enum(["disabled", "offline", "online"]),
  tensorboard: z.boolean(),
  project: z.string().min(1),
});

const base = {
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, '.', '_' and '-'"),
  description: z.string(),
  data: dataSchema,
  tokenizer: repositorySchema,
  tracking: trackingSchema,
};

export const exploreSchema = z.strictObject({
  kind: z.literal("explore"),
  ...base,
  /** The text of a whole row whose tokens are counted. */
  text: z.enum(textNames),
  /** How many subjects the distribution draws. */
  subjectsDrawn: wholePositive,
  /** More tokenizers whose unknown-token share is measured, such as `google/flan-t5-base`. */
  furtherTokenizers: z.array(repositorySchema),
});

export const evaluateSchema = z.strictObject({
  kind: z.literal("evaluate"),
  ...base,
  filter: filterSchema.nullable(),
  split: splitSchema.nullable(),
  answerer: z.strictObject({
    /** A model that the server names, or `baseline:majority`, `baseline:random`, `baseline:longest`. */
    model: z.string().min(1),
    /**
     * Base URL of an OpenAI-compatible server, also as `localhost:1234`; null means LMSTUDIO_ENDPOINT, then
     * http://localhost:1234/v1/.
     */
    endpoint: z
      .string()
      .min(1)
      .max(2000)
      .refine(isServerAddress, "no address, such as http://localhost:1234/v1/")
      .nullable(),
    /** `questions`: a chat of numbered questions, as published; `flan-t5`, `gemma-2`: that plain text of one row, sent to `/completions`. */
    prompt: z.enum(["questions", "flan-t5", "gemma-2"]),
    questionsPerRequest: wholePositive,
    /** Requests under way at once. */
    concurrency: wholePositive.max(1024),
    /** The instruction: `english` is the published system prompt, `native` the row's own language. */
    instruction: z.enum(["english", "native"]),
    temperature: z.number().min(0).max(2),
    maximumTokensPerQuestion: wholePositive,
    maximumTokensExtra: wholeNotNegative,
    /** Log-probabilities of the letters, where a probe shows that the server truly sends them. */
    logProbabilities: z.boolean(),
    timeoutSeconds: positive.max(86_400),
    retries: wholeNotNegative,
    seed: wholeNotNegative,
  }),
  reading: z.enum(readingNames),
});

export const finetuneSchema = z.strictObject({
  kind: z.literal("finetune"),
  ...base,
  filter: filterSchema,
  split: splitSchema,
  model: z.strictObject({
    source: z.string().min(1),
    revision: z.string().nullable(),
    /** How the frozen base weights are held. */
    quantization: z.enum(["none", "fp4", "nf4", "int8"]),
    doubleQuantization: z.boolean(),
  }),
  prompt: z.enum(["flan-t5", "gemma-2"]),
  target: z.strictObject({
    /** Whether the closing token (`</s>`, `<eos>`) has a label too. */
    endOfSequence: z.boolean(),
  }),
  /** Longest whole example in tokens; a longer row is an error before anything is trained. */
  maximumTokens: wholePositive,
  lora: z
    .strictObject({
      rank: wholePositive,
      alpha: positive,
      dropout: shareBelowOne,
      modules: z.array(z.string().min(1)).min(1),
    })
    .nullable(),
  training: z.strictObject({
    epochs: wholePositive,
    batchSize: wholePositive,
    accumulation: wholePositive,
    learningRate: positive,
    schedule: z.enum(["linear", "cosine", "constant"]),
    /** Share of all steps that warm up. */
    warmupRatio: share,
    weightDecay: z.number().nonnegative(),
    adamBetas: z.tuple([shareBelowOne, shareBelowOne]),
    adamEpsilon: positive,
    maximumGradientNorm: positive.nullable(),
    /** null means as the checkpoint's config says. */
    dropout: shareBelowOne.nullable(),
    seed: wholeNotNegative,
    logEvery: wholePositive,
    checkpointEvery: wholePositive,
    validateEachEpoch: z.boolean(),
    /** Load the epoch with the lowest validation loss at the end. */
    keepBest: z.boolean(),
    earlyStoppingPatience: wholePositive.nullable(),
  }),
  evaluation: z.strictObject({
    batchSize: wholePositive,
    maximumNewTokens: wholePositive,
    reading: z.enum(readingNames),
    /** Accuracy before training too. */
    baseline: z.boolean(),
  }),
  device: z.enum(["cpu", "webgpu", "cuda"]),
  /** A link of this name beside the run's folder leads to the saved model; null for none. */
  modelLink: z
    .string()
    .regex(/^[\w.-]+$/, "a file's name")
    .nullable(),
});

export const experimentSchema = z.discriminatedUnion("kind", [exploreSchema, evaluateSchema, finetuneSchema]);

export type ExploreConfiguration = z.infer<typeof exploreSchema>;
export type EvaluateConfiguration = z.infer<typeof evaluateSchema>;
export type FinetuneConfiguration = z.infer<typeof finetuneSchema>;
export type ExperimentConfiguration = z.infer<typeof experimentSchema>;
export type TextName = (typeof textNames)[number];
