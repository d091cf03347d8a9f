import type { EvaluateConfiguration } from "../configuration/schema.js";
import { germanAndFrench, mmmlu, untracked } from "./shared.js";

export const gemma3Baseline: EvaluateConfiguration = {
  kind: "evaluate",
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
};
