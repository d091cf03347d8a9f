import type { ExploreConfiguration } from "../configuration/schema.js";
import { mmmlu, untracked } from "./shared.js";

export const eda: ExploreConfiguration = {
  kind: "explore",
  name: "eda",
  description: "All 14 languages: schema, nulls, distributions, token lengths",
  data: mmmlu(),
  tokenizer: { source: "FacebookAI/roberta-base", revision: null },
  text: "question-and-choices",
  subjectsDrawn: 40,
  furtherTokenizers: [],
  tracking: untracked("mmmlu_eda"),
};
