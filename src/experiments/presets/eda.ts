import type { ExploreConfiguration } from "../configuration/schema.js";
import type { Experiment, MeasuredMetrics, ReproducedFigure } from "./experiment.js";
import { count, number, share } from "./figures.js";
import { mmmlu, untracked } from "./shared.js";

const PUBLISHED = {
  rows: 196_588,
  nulls: 0,
  answers: { A: 45_110, B: 48_465, C: 50_151, D: 52_862 },
  questionTokens: { mean: 200.06419, "50%": 80, max: 9055 },
  questionAndChoicesTokens: { mean: 342.49856, "50%": 192, max: 9383 },
  shareAtMost256: 0.6175,
};

export const eda: Experiment<ExploreConfiguration> = {
  preset: {
    kind: "explore",
    extends: "eda",
    name: "eda",
    description: "All 14 languages: schema, nulls, distributions, token lengths",
    data: mmmlu(),
    tokenizer: { source: "FacebookAI/roberta-base", revision: null },
    text: "question-and-choices",
    subjectsDrawn: 40,
    furtherTokenizers: [],
    tracking: untracked("mmmlu_eda"),
  },
  deviations: [],
  accuracy: {},
  figures: ({ metrics }) => [
    count("rows", PUBLISHED.rows, metrics.rows),
    count(
      "nulls",
      PUBLISHED.nulls,
      Object.values(metrics.nulls ?? {}).reduce<number>((sum, nulls) => sum + (nulls ?? 0), 0),
    ),
    ...Object.entries(PUBLISHED.answers).map(([letter, published]) =>
      count(`answers ${letter}`, published, metrics.answers?.[letter]),
    ),
    ...summary("tokens of the question", PUBLISHED.questionTokens, metrics.questionTokens),
    ...summary("tokens of question and choices", PUBLISHED.questionAndChoicesTokens, metrics.questionAndChoicesTokens),
    share("rows of at most 256 tokens", PUBLISHED.shareAtMost256, metrics.shareAtMost256),
  ],
};

const summary = (
  name: string,
  published: Readonly<Record<"mean" | "50%" | "max", number>>,
  measured: MeasuredMetrics["questionTokens"],
): ReproducedFigure[] =>
  Object.entries(published).map(([key, value]) =>
    number(`${name}, ${key === "50%" ? "median" : key}`, value, measured?.[key as keyof typeof published]),
  );
