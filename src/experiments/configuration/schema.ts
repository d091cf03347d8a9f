import { z } from "zod";
import {
  answererKinds,
  promptFormats,
  promptNames,
  protocolNames,
  protocols,
  readingNames,
  shotSources,
} from "../../answer/index.js";
import { isServerAddress } from "../../base/addresses.js";
import { DEVICE_CHOICES } from "../../graph/index.js";
import { answerForms, OPTION_LETTERS, tasks } from "../../tasks/index.js";
import { key } from "./key.js";

/*
 * What an experiment is. Presets, files and `--set` all end here; a key that is not below is an error. What is said of
 * a key stands beside it: the JSON schema, the table in docs/configuration.md, a run's identity and the list of
 * deviations are made from that.
 */

const positive = z.number().positive();
const wholePositive = z.number().int().positive();
const wholeNotNegative = z.number().int().nonnegative();
const share = z.number().min(0).max(1);
const shareBelowOne = z.number().min(0).lt(1);
const text = z.string().min(1);
const revision = z.string().nullable();

export const textNames = ["question-and-choices", "flan-t5", "gemma-2"] as const;

/** For keys that change no number. */
const noIdentity = { identity: false };
/** For keys that change no number and are no part of a protocol. */
const operational = { identity: false, protocol: false };

/** Of version 0.2: version 0.1 knew MMMLU alone. */
const later = { before: null };
const column = (sentence: string) => key(text.max(1000).nullable().default(null), sentence);

const columnsSchema = z.strictObject({
  question: column("The column of the question."),
  options: key(
    z
      .union([text.max(1000), z.array(text.max(1000)).min(2).max(OPTION_LETTERS.length)])
      .nullable()
      .default(null),
    "The columns of the options, A first; or the one that holds the list of them.",
  ),
  answer: column("The column of the right option,"),
  answers: key(z.enum(answerForms).nullable().default(null), "and how it names it."),
  subject: column("The column of the subject."),
  category: column("The column of the subject's category."),
  language: column("The column of the language."),
  index: column("The column that numbers questions: rows of one number in several languages are translations."),
  key: column("The column of a question's key, the same in other files: MMLU's are as `anatomy/12`."),
});

const task = z
  .enum(tasks.map(({ name }) => name))
  .nullable()
  .default(null);
const [source, taskSentence, columnsSentence] = [
  "A hub id, a folder in the layout of the hub's data set, a `.csv`, `.jsonl` or `.parquet` file of own rows, " +
    "or `sample`.",
  "Whose rows they are; null means what the source tells: a hub id its task, a file own rows, a folder MMMLU.",
  "Which columns of own rows hold what; null, or a part that is null, is guessed from their names, and that is told.",
];
const languages = z.array(text.max(100)).min(1).nullable();
const [revisionSentence, languagesSentence, rowsSentence] = [
  "A commit, branch or tag of the hub's repository; null means the pinned one.",
  "The languages, in order, such as DE_DE; other sets' names for them are found (`de`, `German`); null means all.",
  "Only the first so many rows of each language, for a trial; null means all.",
];

/** Where further rows come from; null for nowhere else. */
const furtherSource = () =>
  z
    .strictObject({
      source: key(text, source!),
      task: key(task, taskSentence!),
      columns: key(columnsSchema.nullable().default(null), columnsSentence!),
      revision: key(revision.default(null), revisionSentence!),
      languages: key(languages.default(null), languagesSentence!),
      rowsPerLanguage: key(wholePositive.nullable().default(null), rowsSentence!),
    })
    .nullable()
    .default(null);

const dataSchema = z.strictObject({
  source: key(text, source!),
  task: key(task, taskSentence!, later),
  columns: key(columnsSchema.nullable().default(null), columnsSentence!, later),
  revision: key(revision, revisionSentence!),
  languages: key(languages, languagesSentence!),
  rowsPerLanguage: key(wholePositive.nullable(), rowsSentence!),
  limit: key(
    wholePositive.nullable().default(null),
    "So many questions of the test rows (of all rows of an exploration), drawn by subject in proportion, the same in " +
      "every language and for every model; null means all.",
    later,
  ),
  trainFrom: key(
    furtherSource(),
    "Where the train and validation rows come from, if not from where the test rows do; null means from the same.",
    later,
  ),
});

const repositorySchema = z.strictObject({
  source: key(text, "A hub id, a folder, or `sample` for the tiny one made on the spot."),
  revision: key(revision, "A commit, branch or tag on the hub; null means the newest."),
});

const filterSchema = z.strictObject({
  text: key(z.enum(textNames), "The text whose tokens are counted."),
  maxTokens: key(wholePositive, "Rows of more tokens are left out."),
  inclusive: key(z.boolean(), "Whether a row of exactly `maxTokens` stays."),
  addSpecialTokens: key(z.boolean(), "Whether the tokenizer's own special tokens (`</s>`, `<bos>`) count."),
});

const splitSchema = z.strictObject({
  kind: key(
    z.enum(["published", "grouped"]),
    "`published`: row for row what Python `datasets` gives; `grouped`: translations and duplicates of a " +
      "question stay on one side.",
  ),
  shape: key(
    z.enum(["80/10/10", "90/10-shuffled"]),
    "`80/10/10`, or `90/10-shuffled`: concatenate, shuffle, one split; only its test part is used.",
  ),
  seed: key(wholeNotNegative, "Seeds the split."),
});

const trackingSchema = z.strictObject({
  wandb: key(z.enum(["disabled", "offline", "online"]), "Logs to Weights & Biases.", operational),
  tensorboard: key(z.boolean(), "Writes TensorBoard's event files into the run's folder.", operational),
  project: key(text, "The project on Weights & Biases.", operational),
});

const loraSchema = z.strictObject({
  r: key(wholePositive, "The rank."),
  alpha: key(positive, "Adapters are scaled by `alpha / r`."),
  dropout: key(shareBelowOne, "Dropout in front of the adapters."),
  targetModules: key(z.array(text).min(1), "Names of the linear layers that get an adapter."),
});

/** Each by its name and its description. */
const described = (all: Readonly<Record<string, { readonly description: string }>>): string =>
  Object.entries(all)
    .map(([name, { description }]) => `\`${name}\`: ${description}`)
    .join("; ");

const promptText = z.string().max(100_000);
const templateSchema = z.strictObject({
  user: key(
    promptText.nullable().default(null),
    "A chat's message, with `{question}` and `{options}`, or `{A}`, `{B}` …; also `{letters}`, `{subject}`, " +
      "`{language}`;",
  ),
  text: key(promptText.nullable().default(null), "or the same as a plain text to go on from."),
  system: key(promptText.nullable().default(null), "The chat's system message."),
  option: key(promptText.default("{letter}) {option}"), "A line of `{options}`."),
  answer: key(promptText.default("{letter}"), "What answers an example; in a plain text it follows the question."),
  between: key(promptText.default("\n\n"), "What stands behind an example of a plain text."),
});

const answererSchema = z.strictObject({
  model: key(text, `Who answers: ${answererKinds.map(({ names }) => names).join("; or ")}.`),
  endpoint: key(
    text.max(2000).refine(isServerAddress, "no address, such as http://localhost:1234/v1/").nullable(),
    "Base URL of an OpenAI-compatible server, also as `localhost:1234`; null means LMSTUDIO_ENDPOINT, then " +
      "http://localhost:1234/v1/.",
    noIdentity,
  ),
  protocol: key(z.enum(protocolNames).default("published"), `What is measured. ${described(protocols)}.`, {
    before: "published",
  }),
  prompt: key(
    z.enum(promptNames),
    `How a question is put; a plain text is sent to \`/completions\`. ${described(promptFormats)}.`,
  ),
  template: key(
    templateSchema.nullable().default(null),
    "A prompt of one's own in place of `prompt`: placeholders in braces, `{{` for the sign itself.",
    later,
  ),
  systemMessage: key(
    z.string().max(10_000).nullable().default(null),
    "The system message of `questions` and `simple-evals`; null means theirs, an empty text none.",
    later,
  ),
  shots: key(
    wholeNotNegative.max(100).default(0),
    "So many examples of the same subject, with their answers, in front of each question.",
    { before: 0 },
  ),
  shotSource: key(
    z.enum(shotSources).nullable().default(null),
    "`first_n`: the subject's first rows but the one that is asked, as lm-evaluation-harness since 0.4.13; " +
      "`first_n_with_itself`: as before that; `disjoint`: rows that nobody is asked and that translate no question " +
      "that is asked. Null means `first_n` for `lm-eval`, else `disjoint`.",
    later,
  ),
  shotLanguage: key(
    z.enum(["row", "english"]).default("row"),
    "Whether examples are in the row's own language or in English.",
    { before: "row" },
  ),
  shotsFrom: key(
    furtherSource(),
    "Where examples come from, if not from the data itself; null means `cais/mmlu` for examples in English.",
    later,
  ),
  permutations: key(
    wholePositive.max(OPTION_LETTERS.length).default(1),
    "Each row is asked under so many cyclic orders of its options.",
    { before: 1 },
  ),
  repeats: key(wholePositive.max(100).default(1), "Each row is asked so often under each order.", { before: 1 }),
  questionsPerRequest: key(wholePositive, "Questions asked in one request."),
  concurrency: key(
    wholePositive.max(1024),
    "Requests under way at once; of a model run here, in one batch.",
    noIdentity,
  ),
  instruction: key(
    z.enum(["english", "native"]),
    "`english` is the published system prompt, `native` the same in the row's own language.",
  ),
  temperature: key(z.number().min(0).max(2), "The sampling temperature; 0 is greedy."),
  maxTokensPerQuestion: key(wholePositive, "`max_tokens` of a request: so many for each question,"),
  maxTokensExtra: key(wholeNotNegative, "and so many more."),
  logprobs: key(z.boolean(), "Log-probabilities of the letters, where a probe shows that the server truly sends them."),
  timeoutSeconds: key(positive.max(86_400), "From the moment a request is sent to its whole reply.", operational),
  maxRetries: key(wholeNotNegative, "How often a request that failed is made again.", operational),
  seed: key(wholeNotNegative, "Seeds `baseline:random`, tokens drawn here, and the waits between attempts."),
  revision: key(
    revision.default(null),
    "Of a model run here: a commit, branch or tag on the hub; null means the newest.",
    later,
  ),
  device: key(
    z.enum(DEVICE_CHOICES).nullable().default(null),
    "Of a model run here: where; null means `cpu`, `auto` a GPU where there is one.",
    later,
  ),
  quantization: key(
    z.enum(["none", "fp4", "nf4", "int8"]).nullable().default(null),
    "Of a model run here: how linear layers are held; null means as an adapter was trained, else `none`.",
    later,
  ),
  doubleQuantization: key(
    z.boolean().default(false),
    "Of a model run here, with fp4 or nf4: the blocks' scales are quantized too.",
    { before: false },
  ),
  chatTemplate: key(
    text.max(4096).nullable().default(null),
    "Of a model run here: a file with a chat template in Jinja, instead of the model's own; null means its own.",
    later,
  ),
});

const trainingSchema = z.strictObject({
  epochs: key(wholePositive, "Passes over the train rows."),
  maxSteps: key(
    wholePositive.nullable().default(null),
    "Ends training after so many steps at most; the learning rate falls over these. null for all of `epochs`.",
    later,
  ),
  batchSize: key(wholePositive, "Rows in a batch."),
  gradientAccumulationSteps: key(wholePositive, "Batches whose gradients make one step."),
  learningRate: key(positive, "The highest learning rate."),
  lrScheduler: key(z.enum(["linear", "cosine", "constant"]), "How the learning rate falls after its warm-up."),
  warmupRatio: key(share, "Share of all steps that warm up."),
  weightDecay: key(z.number().nonnegative(), "AdamW's decay; norms and biases are not decayed."),
  adamBetas: key(z.tuple([shareBelowOne, shareBelowOne]), "AdamW's β₁ and β₂."),
  adamEpsilon: key(positive, "AdamW's ε."),
  maxGradNorm: key(positive.nullable(), "Gradients are clipped to this norm; null for no clipping."),
  dropout: key(shareBelowOne.nullable(), "The model's own dropout; null means as the checkpoint's config says."),
  seed: key(wholeNotNegative, "Seeds the order of rows, dropout and new adapters."),
  loggingSteps: key(wholePositive, "Steps between lines of the training log.", noIdentity),
  saveSteps: key(wholePositive, "Steps between checkpoints.", noIdentity),
  validateEachEpoch: key(z.boolean(), "Whether each epoch ends with a validation."),
  loadBestModelAtEnd: key(z.boolean(), "Load the epoch with the lowest validation loss at the end."),
  earlyStoppingPatience: key(
    wholePositive.nullable(),
    "Ends training after so many epochs without a lower validation loss; null for never.",
  ),
});

const common = {
  extends: key(
    z.string().nullable().default(null),
    "The published experiment that it starts from: what is not said is as there, and its figures are put " +
      "beside the run's.",
    operational,
  ),
  name: key(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, '.', '_' and '-'"),
    "The run's name: its folder is `outputs/<name>` unless `--out` says otherwise.",
    { protocol: false },
  ),
  description: key(z.string(), "A sentence for lists and reports.", operational),
  data: key(dataSchema, "Which rows."),
  tokenizer: key(repositorySchema, "Whose tokens are counted, and read by the model that is trained."),
  tracking: key(trackingSchema, "Where figures go besides the run's folder.", operational),
};

export const exploreSchema = z.strictObject({
  kind: key(z.literal("explore"), "An exploration of the rows."),
  ...common,
  text: key(z.enum(textNames), "The text of a whole row whose tokens are counted."),
  subjectsDrawn: key(wholePositive, "How many subjects the figure of their distribution draws."),
  furtherTokenizers: key(
    z.array(repositorySchema),
    "More tokenizers whose unknown-token share is measured, such as `google/flan-t5-base`.",
  ),
});

export const evaluateSchema = z.strictObject({
  kind: key(z.literal("evaluate"), "Zero-shot evaluation."),
  ...common,
  filter: key(filterSchema.nullable(), "Leaves long rows out; null keeps all."),
  split: key(splitSchema.nullable(), "Whose test part is asked; null asks all rows."),
  answerer: key(answererSchema, "Who answers, and how it is asked."),
  answerExtraction: key(z.enum(readingNames), "How a reply is read as letters."),
});

export const finetuneSchema = z.strictObject({
  kind: key(z.literal("finetune"), "Fine-tuning, with evaluation before and after."),
  ...common,
  filter: key(filterSchema, "Leaves long rows out."),
  split: key(splitSchema, "Into train, validation and test."),
  model: key(
    z.strictObject({
      source: key(text, "A hub id, a folder, or `sample` for a tiny one made on the spot."),
      revision: key(revision, "A commit, branch or tag on the hub; null means the newest."),
      quantization: key(z.enum(["none", "fp4", "nf4", "int8"]), "How the frozen base weights are held."),
      doubleQuantization: key(z.boolean(), "Whether the scales of 4-bit blocks are quantized too."),
      torchDtype: key(
        z.enum(["float32", "float16"]).default("float32"),
        "What weights are cast to as they are read, before they are quantized or raised to float32; float32 " +
          "keeps what is stored.",
        { before: "float32" },
      ),
    }),
    "What is trained.",
  ),
  prompt: key(z.enum(["flan-t5", "gemma-2"]), "The text in front of the answer."),
  target: key(
    z.strictObject({
      addEosToken: key(z.boolean(), "Whether the closing token (`</s>`, `<eos>`) has a label too."),
    }),
    "What is learnt.",
  ),
  maxLength: key(
    wholePositive,
    "Longest whole example in tokens; a longer row is an error before anything is trained.",
  ),
  lora: key(loraSchema.nullable(), "Adapters (LoRA); null trains all weights."),
  training: key(trainingSchema, "How it is trained."),
  evaluation: key(
    z.strictObject({
      batchSize: key(wholePositive, "Prompts in a batch."),
      maxNewTokens: key(wholePositive, "Longest reply in tokens."),
      answerExtraction: key(z.enum(readingNames), "How a reply is read as a letter."),
      baseline: key(z.boolean(), "Accuracy before training too."),
    }),
    "How the model is asked.",
  ),
  device: key(z.enum(DEVICE_CHOICES), "Where it runs; `auto`: on a GPU where there is one and it fits, else `cpu`."),
  deviceMemory: key(
    positive.max(65_536).nullable().default(null),
    "Of a GPU: GiB of its memory that are planned with; null means what is free, where the system tells it.",
    { identity: false, protocol: false, before: null },
  ),
  modelLink: key(
    z
      .string()
      .regex(/^[\w.-]+$/, "a file's name")
      .nullable(),
    "A link of this name beside the run's folder leads to the saved model; null for none.",
    operational,
  ),
});

/** By `kind`. */
export const schemas = { explore: exploreSchema, evaluate: evaluateSchema, finetune: finetuneSchema } as const;
export type ExperimentKind = keyof typeof schemas;

export const schemaOf = (kind: ExperimentKind): z.ZodObject => schemas[kind];

export const experimentSchema = z.discriminatedUnion("kind", [exploreSchema, evaluateSchema, finetuneSchema]);

export type ExploreConfiguration = z.infer<typeof exploreSchema>;
export type EvaluateConfiguration = z.infer<typeof evaluateSchema>;
export type FinetuneConfiguration = z.infer<typeof finetuneSchema>;
export type ExperimentConfiguration = z.infer<typeof experimentSchema>;
