import type { EvaluateConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { asked, mmmlu, untracked } from "./shared.js";

const name = "mmmlu-simple-evals";

/** MMMLU by its authors' own protocol, on all rows of all languages: its figures stand beside those they publish. */
export const mmmluSimpleEvals: Experiment<EvaluateConfiguration> = {
  preset: {
    kind: "evaluate",
    extends: name,
    name,
    description: "any model on all of MMMLU by OpenAI's own protocol (simple-evals): zero-shot, step by step",
    data: mmmlu(),
    tokenizer: { source: "google/gemma-2-2b-it", revision: null },
    filter: null,
    split: null,
    answerer: {
      ...asked,
      model: "gemma-3-27b-it",
      protocol: "simple-evals",
      prompt: "simple-evals",
      questionsPerRequest: 1,
      concurrency: 4,
      temperature: 0.5,
      maxTokensPerQuestion: 2048,
      maxTokensExtra: 0,
    },
    answerExtraction: "simple-evals",
    tracking: untracked("mmmlu_simple_evals"),
  },
  deviations: [
    "Rows are those of the hub's data set; simple-evals reads files of the same questions from its authors' server.",
    "A request that fails is made again up to 6 times (answerer.maxRetries) and then ends the run; simple-evals " +
      "tries for ever, and counts a request that the server refuses as a wrong answer.",
    "Subjects are cleaned of the file names that some languages' files carry; simple-evals counts such rows in its " +
      "category other.",
  ],
  // What is published of it is of models, not of this preset: it stands in no column of published figures.
  accuracy: {},
  figures: () => [],
};
