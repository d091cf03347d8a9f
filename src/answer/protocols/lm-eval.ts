import { categoryOf } from "../../tasks/index.js";
import type { Protocol } from "./protocol.js";

/** lm-evaluation-harness's task group `mmmlu` (0.4.13): the likeliest of the letters behind the context. */
export const lmEval: Protocol = {
  description: "lm-evaluation-harness's task mmmlu: the likeliest of the continuations ` A`, ` B` and so on",
  measures: "continuations",
  prompts: ["mmlu"],
  reading: "letter",
  shotSource: "first_n",
  preset: "mmmlu-lm-eval",
  groups: ({ language, subject }) => {
    const slug = language.toLowerCase();
    const category = categoryOf(subject).toLowerCase().replace(" ", "_");
    return ["mmmlu", `mmmlu_${slug}`, `mmmlu_${slug}_${category}`, `mmmlu_${slug}_${subject}`];
  },
};
