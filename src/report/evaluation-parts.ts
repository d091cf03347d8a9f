import { type EvaluationStatistics, type Interval, unreadableInWords } from "../evaluate/index.js";
import { evaluationFigures, type Figure, groupFigure, percent, points } from "./figures/index.js";
import { html } from "./html.js";
import type { Section } from "./page.js";
import {
  accuracyTile,
  extremes,
  extremesAsPublished,
  figures,
  range,
  subjectTable,
  type Tile,
  table,
  tiles,
} from "./parts.js";
import { titleOfStage } from "./stages.js";

/** One stage of answering: before training, after it, or the only one. */
export interface StageResult {
  /** `baseline`, `final` or `test`. */
  readonly stage: string;
  readonly statistics: EvaluationStatistics;
  readonly confusion: readonly (readonly number[])[];
  /** Where its questions were drawn from more: how many there are, and the 95 % interval of their accuracy. */
  readonly ofTheWhole?: { readonly interval: Interval; readonly questions: number };
  /** The published accuracy of this stage, where there is one and the data are MMMLU's. */
  readonly published?: number;
}

/** The headline of a run's answers. */
export function headlineTiles(stages: readonly StageResult[]): Tile[] {
  return stages.flatMap((one) => [
    accuracyTile(
      `Accuracy ${titleOfStage(one.stage)}`,
      one.statistics.overall,
      one.statistics.clustered,
      one.published,
    ),
    {
      name: `Unreadable replies ${stages.length > 1 ? titleOfStage(one.stage) : ""}`,
      value: percent(one.statistics.unreadableShare),
      under: [
        `${Math.round(one.statistics.unreadableShare * one.statistics.overall.n).toLocaleString("en")} of ` +
          `${one.statistics.overall.n.toLocaleString("en")} rows`,
        unreadableInWords(one.statistics.unreadableBy),
        "counted as wrong",
        ...(one.statistics.unreadableShare > 0
          ? [
              `accuracy were they drawn by lot ${percent(one.statistics.bounds.unreadableAtChance)}, ` +
                `right ${percent(one.statistics.bounds.unreadableRight)}`,
            ]
          : []),
      ].filter(Boolean),
    },
    {
      name: `Cut at the limit of tokens ${stages.length > 1 ? titleOfStage(one.stage) : ""}`,
      value: percent(one.statistics.cutShare),
      under: [
        `${one.statistics.unreadableBy.cut.toLocaleString("en")} of them unreadable`,
        ...(one.statistics.cutShare > 0 ? ["mmmlu run --again cut gives them more room"] : []),
      ],
    },
    ...(one.ofTheWhole
      ? [
          {
            name: "Accuracy on all questions",
            value: range(one.ofTheWhole.interval),
            under: [
              `95 %, of ${one.ofTheWhole.questions.toLocaleString("en")} questions of which ` +
                `${one.statistics.overall.questions.toLocaleString("en")} were drawn`,
              "finite population correction",
            ],
          },
        ]
      : []),
  ]);
}

/**
 * The headline as a figure, narrow enough for a telephone: each stage's accuracy with its interval, chance, and the
 * published accuracy.
 */
export const headlineFigure = (stages: readonly StageResult[]): Figure =>
  groupFigure(
    "accuracy",
    "Accuracy",
    stages.map((one) => ({ label: titleOfStage(one.stage), published: one.published, ...one.statistics.overall })),
  );

/** The figures of every stage, as they are also written to `figures/`. */
export function stageFigures(stages: readonly StageResult[]): { stage: string; figures: Figure[] }[] {
  return stages.map((one) => ({
    stage: one.stage,
    figures: evaluationFigures(one.statistics, one.confusion, stages.length > 1 ? one.stage : ""),
  }));
}

/** A section a stage: subjects, confusion, letters, languages, categories. */
export function stageSections(stages: readonly StageResult[], drawn: ReturnType<typeof stageFigures>): Section[] {
  return stages.map((one, index) => {
    const { statistics } = one;
    return {
      id: `answers-${one.stage}`,
      title: `Answers ${titleOfStage(one.stage)}`,
      body: html`${tiles([
        {
          name: "Micro average",
          value: percent(statistics.overall.accuracy),
          under: [
            `95 %: ${range(statistics.clustered.interval)}`,
            `by row (Wilson): ${range(statistics.overall.interval)}`,
          ],
        },
        {
          name: "Macro average",
          value: percent(statistics.macroAccuracy),
          under: [`95 %: ${range(statistics.macroInterval)}`, "each subject counts the same"],
        },
        {
          name: "Design effect",
          value: Number.isFinite(statistics.clustered.designEffect)
            ? statistics.clustered.designEffect.toFixed(2)
            : "–",
          under: [
            `${statistics.clustered.clusters.toLocaleString("en")} questions, ` +
              `${statistics.overall.n.toLocaleString("en")} rows`,
            "times the variance of independent rows",
          ],
        },
        {
          name: "Position bias",
          value: percent(statistics.positionBias),
          under: "of readable predictions are too many for their letter",
        },
        ...(statistics.calibration
          ? [
              {
                name: "Calibration error",
                value: percent(statistics.calibration.expectedCalibrationError),
                under: [
                  `${percent(statistics.calibration.errorIfCalibrated)} by chance alone, were it calibrated`,
                  `Brier score ${statistics.calibration.brier.toFixed(3)} (0 to 2)`,
                  `${statistics.calibration.n.toLocaleString("en")} rows with log-probabilities`,
                ],
              },
            ]
          : []),
      ])}
${extremes(statistics)}
${extremesAsPublished(statistics)}
${figures(drawn[index]?.figures ?? [])}
${subjectTable(statistics)}
<details><summary>Letters as a table</summary>${table(
        ["letter", "true", "predicted", "predicted minus true share", "right of its true rows"],
        statistics.letters.map((letter) => [
          letter.letter,
          letter.truth,
          letter.predicted,
          points(letter.excess),
          letter.recall === null ? "–" : percent(letter.recall),
        ]),
      )}</details>`,
    };
  });
}
