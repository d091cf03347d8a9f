import { z } from "zod";
import type { EvaluateConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { accuracy, confusionFigures, count, number, subjectFigures } from "./figures.js";
import { confusion, subjects } from "./gemma-3-27b-baseline.published.js";
import { asked, germanAndFrench, mmmlu, untracked } from "./shared.js";

const PUBLISHED = {
  test: 0.6759,
  rowsAfterFilter: 24_213,
  byLanguage: { DE_DE: 12_170, FR_FR: 12_043 },
  otherRows: 21_791,
  testRows: 2422,
  unreadable: 12,
  requests: 303,
  seconds: 620,
};

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
      ...asked,
      model: "gemma-3-27b-it",
      prompt: "questions",
      questionsPerRequest: 8,
      concurrency: 1,
      temperature: 0,
      maxTokensPerQuestion: 2,
      maxTokensExtra: 10,
    },
    answerExtraction: "lines",
    tracking: untracked("mmmlu_gemma_3_27b_baseline"),
  },
  deviations: [
    "A request that fails is made again up to 6 times (answerer.maxRetries); the published run's client did so " +
      "twice. Replies are kept as they land, and none is asked for again.",
    "The server, its version and the model's quantization are those of whoever answers: the published run " +
      "names none but LM Studio.",
    "Subjects are cleaned of the file names that some languages' files carry; German and French carry none.",
    "The best and worst subjects are named among those with enough questions; the published ones, by plain " +
      "accuracy, beside them.",
  ],
  accuracy: { test: PUBLISHED.test },
  figures: ({ metrics, manifest }) => [
    count("rows after the filter", PUBLISHED.rowsAfterFilter, manifest.data?.["rowsKept"]),
    count("test rows", PUBLISHED.testRows, metrics.n),
    accuracy("accuracy", PUBLISHED.test, metrics),
    count("unreadable replies", PUBLISHED.unreadable, metrics.unreadable),
    ...Object.entries(PUBLISHED.byLanguage).map(([language, rows]) =>
      count(`rows after the filter, ${language}`, rows, kept(manifest.data?.["rowsKeptByLanguage"])?.[language]),
    ),
    count("rows of no test part", PUBLISHED.otherRows, manifest.split?.["train"]),
    number("requests", PUBLISHED.requests, metrics.requests),
    number("seconds", PUBLISHED.seconds, metrics.seconds),
    ...confusionFigures("confusion matrix", confusion, metrics),
    ...subjectFigures("", subjects, metrics),
  ],
};

const kept = (told: unknown): Record<string, number> | undefined =>
  z.record(z.string(), z.number()).safeParse(told).data;
