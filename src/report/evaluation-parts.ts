import type { EvaluationStatistics } from "../evaluate/index.js";
import { evaluationFigures, type Figure, percent } from "./figures/index.js";
import { html } from "./html.js";
import { accuracyTile, extremes, figures, range, subjectTable, table, type Tile, tiles } from "./parts.js";
import type { Section } from "./page.js";

/** One stage of answering: before training, after it, or the only one. */
export interface StageResult {
  /** `baseline`, `final` or `test`. */
  readonly stage: string;
  readonly statistics: EvaluationStatistics;
  readonly confusion: readonly (readonly number[])[];
  /** The published accuracy of this stage, where there is one and the data are MMMLU's. */
  readonly published?: number;
}

const stageTitle: Record<string, string> = { baseline: "before training", final: "after training", test: "on the test rows" };
export const titleOfStage = (stage: string): string => stageTitle[stage] ?? stage;

/** The headline of a run's answers. */
export function headlineTiles(stages: readonly StageResult[]): Tile[] {
  return stages.flatMap((one) => [
    accuracyTile(`Accuracy ${titleOfStage(one.stage)}`, one.statistics.overall, one.statistics.clustered, one.published),
    {
      name: `Unreadable replies ${stages.length > 1 ? titleOfStage(one.stage) : ""}`,
      value: percent(one.statistics.unreadableShare),
      under: "counted as wrong",
    },
  ]);
}

/** The figures of every stage, as they are also written to `figures/`. */
export function stageFigures(stages: readonly StageResult[]): { stage: string; figures: Figure[] }[] {
  return stages.map((one) => ({ stage: one.stage, figures: evaluationFigures(one.statistics, one.confusion, stages.length > 1 ? one.stage : "") }));
}

/** A section a stage: subjects, confusion, letters, languages, categories. */
export function stageSections(stages: readonly StageResult[], drawn: ReturnType<typeof stageFigures>): Section[] {
  return stages.map((one, index) => {
    const { statistics } = one;
    return {
      id: `answers-${one.stage}`,
      title: `Answers ${titleOfStage(one.stage)}`,
      body: html`${tiles([
        { name: "Macro average", value: percent(statistics.macroAccuracy), under: "each subject counts the same" },
        { name: "Rows as independent", value: percent(statistics.overall.accuracy), under: `95 %: ${range(statistics.overall.interval)}` },
        { name: "Questions as clusters", value: statistics.clustered.clusters.toLocaleString("en"), under: `questions · 95 %: ${range(statistics.clustered.interval)} · design effect ${statistics.clustered.designEffect.toFixed(2)}` },
        { name: "Position bias", value: percent(statistics.positionBias), under: "of predictions would have to move" },
      ])}
${extremes(statistics)}
${figures(drawn[index]?.figures ?? [])}
${subjectTable(statistics)}
<details><summary>Letters as a table</summary>${table(
        ["letter", "true", "predicted", "excess", "right of its true rows"],
        statistics.letters.map((letter) => [letter.letter, letter.truth, letter.predicted, percent(letter.excess), letter.recall === null ? "–" : percent(letter.recall)]),
      )}</details>`,
    };
  });
}
