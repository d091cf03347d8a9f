import { categoryOf } from "../../tasks/index.js";
import { SIMPLE_EVALS_ANSWER } from "../formats/simple-evals.js";
import type { Protocol } from "./protocol.js";

/** Its table of categories is not MMLU's own in one place. */
const categoryThere = (subject: string): string =>
  subject === "anatomy" ? "other" : categoryOf(subject).toLowerCase().replace(" ", "_");

/** OpenAI's own for MMMLU (github.com/openai/simple-evals): step by step, the plain mean of the languages. */
export const simpleEvals: Protocol = {
  description: "OpenAI's own for MMMLU: step by step, read as its simple-evals reads, the mean of the languages",
  measures: "text",
  prompts: ["simple-evals"],
  reading: "simple-evals",
  beforeAnswer: SIMPLE_EVALS_ANSWER,
  shotSource: "disjoint",
  preset: "mmmlu-simple-evals",
  groups: ({ language, subject }) => {
    const name = `mmlu_${language.replace("_", "-")}`;
    return [name, `${name}/${categoryThere(subject)}`];
  },
  meanOfLanguages: true,
};
