import type { EvaluateConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { accuracy, count } from "./figures.js";
import { germanAndFrench, mmmlu, untracked } from "./shared.js";

const PUBLISHED = { test: 0.6759, rowsAfterFilter: 24_213, testRows: 2422, unreadable: 12 };

export const gemma3Baseline: Experiment<EvaluateConfiguration> = {
  preset: {
    kind: "evaluate",
    extends: "gemma-3-27b-baseline",
    name: "gemma-3-27b-baseline",
    description: "gemma-3-27b-it zero-shot through LM Studio, on German and French",
    data: mmmlu(germanAndFrench),
    tokenizer: { source: "google/gemma-2-2b-it", revision: null },
    filter: { text: "question-and-choices", maxTokens: 256, inclusive: true, addSpecialTokens: false },
    split: { kind: "published", shape: "90/10-shuffled", seed: 42 },
    answerer: {
      model: "gemma-3-27b-it",
      endpoint: null,
      prompt: "questions",
      questionsPerRequest: 8,
      concurrency: 4,
      instruction: "english",
      temperature: 0,
      maxTokensPerQuestion: 2,
      maxTokensExtra: 10,
      logprobs: false,
      timeoutSeconds: 300,
      maxRetries: 6,
      seed: 42,
    },
    answerExtraction: "lines",
    tracking: untracked("mmmlu_gemma_3_27b_baseline"),
  },
  deviations: [],
  accuracy: { test: PUBLISHED.test },
  figures: ({ metrics, manifest }) => [
    count("rows after the filter", PUBLISHED.rowsAfterFilter, manifest.data?.["rowsKept"]),
    count("test rows", PUBLISHED.testRows, metrics.n),
    accuracy("accuracy", PUBLISHED.test, metrics),
    count("unreadable replies", PUBLISHED.unreadable, metrics.unreadable),
  ],
};
