import { z } from "zod";
import type { Summary } from "../../explore/index.js";
import { LANGUAGES } from "../../tasks/index.js";
import type { ExploreConfiguration } from "../configuration/schema.js";
import type { Experiment, MeasuredMetrics, ReproducedFigure } from "./experiment.js";
import { count, number, share } from "./figures.js";
import { mmmlu, untracked } from "./shared.js";

const PUBLISHED = {
  languages: 14,
  rowsPerLanguage: 14_042,
  rows: 196_588,
  nulls: 0,
  answers: { A: 45_110, B: 48_465, C: 50_151, D: 52_862 },
  answersBySubject: {
    abstract_algebra: [308, 364, 434, 294],
    anatomy: [350, 476, 630, 434],
    astronomy: [378, 392, 644, 714],
    business_ethics: [420, 364, 323, 293],
    clinical_knowledge: [798, 994, 812, 1106],
  },
  questionTokens: {
    count: 196588,
    mean: 200.06419,
    std: 346.15254,
    min: 2,
    "25%": 38,
    "50%": 80,
    "75%": 202,
    max: 9055,
  },
  questionAndChoicesTokens: {
    count: 196588,
    mean: 342.49856,
    std: 438.149235,
    min: 25,
    "25%": 111,
    "50%": 192,
    "75%": 397,
    max: 9383,
  },
  shareAtMost256: 0.6175,
};

const counts = z.record(z.string(), z.number());

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
  downloadBytes: 131e6,
  deviations: [
    "Subjects are cleaned of the file names that some languages' files carry behind them; the published run " +
      "counted them as stored. Both counts stand in the report.",
    "The hub's name of the tokenizer is FacebookAI/roberta-base; the published run's, roberta-base, leads there.",
    "Differences of keys, duplicates, unknown tokens and a close-up of the long histogram are told besides.",
  ],
  accuracy: {},
  figures: ({ metrics }) => [
    count("languages", PUBLISHED.languages, Object.keys(counts.safeParse(metrics.languages).data ?? {}).length),
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
    ...LANGUAGES.map((language) => ({
      ...count(language, PUBLISHED.rowsPerLanguage, counts.safeParse(metrics.languages).data?.[language]),
      group: "rows by language",
    })),
    ...Object.entries(PUBLISHED.answersBySubject).flatMap(([subject, published]) => {
      const measured = z.record(z.string(), counts).safeParse(metrics.answersBySubject).data?.[subject];
      return published.map((value, index) => ({
        ...count(`${subject}, ${"ABCD"[index]}`, value, measured?.["ABCD"[index]!]),
        group: "answers of the first five subjects",
      }));
    }),
  ],
};

const summary = (
  name: string,
  published: Readonly<Summary>,
  measured: MeasuredMetrics["questionTokens"],
): ReproducedFigure[] =>
  Object.entries(published).map(([key, value]: [string, number]) =>
    (key === "count" ? count : number)(
      `${name}, ${key === "50%" ? "median" : key}`,
      value,
      measured?.[key as keyof typeof published],
    ),
  );
