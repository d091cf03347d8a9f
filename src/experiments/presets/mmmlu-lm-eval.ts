import type { EvaluateConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { asked, mmmlu, untracked } from "./shared.js";

const name = "mmmlu-lm-eval";

/** MMMLU as lm-evaluation-harness's task group `mmmlu` measures it, on all rows of all languages. */
export const mmmluLmEval: Experiment<EvaluateConfiguration> = {
  preset: {
    kind: "evaluate",
    extends: name,
    name,
    description: "any model on all of MMMLU as lm-evaluation-harness measures it: the likeliest letter, 5 examples",
    data: mmmlu(),
    tokenizer: { source: "google/gemma-2-2b", revision: null },
    filter: null,
    split: null,
    answerer: {
      ...asked,
      model: "gemma-3-27b-pt",
      protocol: "lm-eval",
      prompt: "mmlu",
      shots: 5,
      shotSource: "first_n",
      questionsPerRequest: 1,
      concurrency: 4,
      temperature: 0,
      maxTokensPerQuestion: 1,
      maxTokensExtra: 0,
    },
    answerExtraction: "letter",
    tracking: untracked("mmmlu_lm_eval"),
  },
  deviations: [
    "Texts are tokenized by whoever answers, `<bos>` included where the tokenizer has one; the harness's " +
      "local-completions leaves it out unless add_bos_token=True.",
    "A prompt that is longer than the model takes ends the run; the harness cuts it off on the left.",
    "A request that fails is made again up to 6 times (answerer.maxRetries); the harness tries three times.",
  ],
  accuracy: {},
  figures: () => [],
};
