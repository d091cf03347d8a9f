import { type ReadingName, readLetter, rowTexts } from "../answer/index.js";
import {
  evaluationMetrics,
  evaluationStatistics,
  lettersOfAnswers,
  nearTies,
  type Prediction,
} from "../evaluate/index.js";
import { html, percent, type Section, table } from "../report/index.js";
import { OPTION_LETTERS } from "../tasks/index.js";
import type { ExampleAnswer } from "./ask-model.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import type { Stage } from "./evaluation-results.js";
import type { Prepared } from "./prepare.js";
import { finetuneProtocolOf } from "./presets/index.js";

/**
 * How a run's replies are read: as published, and in the experiment's additional ways. A reply may end where all of
 * these are settled: one that was ended for the first match alone has no last one.
 */
export const extractionsOf = (configuration: FinetuneConfiguration): ReadingName[] => [
  configuration.evaluation.answerExtraction,
  ...finetuneProtocolOf(configuration).additionalExtractions,
];

/**
 * Measurements beside the published one: the letters' log-probabilities, the last-match extraction where the experiment
 * has it, rows without a twin in train; and how many rows' decision would hang on bfloat16's rounding.
 */
export function additionalMetrics(stage: Stage, prepared: Prepared, configuration: FinetuneConfiguration) {
  const clean = new Set(prepared.audit.cleanTestIds);
  const byLetters = stage.predictions
    .filter((one) => one.logProbabilities)
    .map((one) => ({
      ...one,
      prediction: OPTION_LETTERS[indexOfLargest(one.logProbabilities as readonly number[])] ?? null,
    }));
  const brief = (predictions: readonly Prediction[]) => {
    const { n, correct, accuracy, unreadable } = evaluationMetrics(predictions);
    return { n, correct, accuracy, unreadable, interval: evaluationStatistics(predictions).clustered.interval };
  };
  return {
    letterLogProbabilities: byLetters.length ? brief(byLetters) : null,
    lastMatch: extractionsOf(configuration).includes("last-match")
      ? brief(
          stage.predictions.map((one) => ({
            ...one,
            prediction: readLetter("last-match", one.reply, lettersOfAnswers([one])),
          })),
        )
      : null,
    nearTies: nearTies(stage.predictions),
    withoutTwinInTrain: clean.size ? brief(stage.predictions.filter((one) => clean.has(one.id))) : null,
  };
}

const indexOfLargest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** The same as a section of the report. */
export function additionalMetricsSection(
  stages: readonly Stage[],
  prepared: Prepared,
  configuration: FinetuneConfiguration,
): Section {
  const rows = stages.flatMap((stage) => {
    const found = additionalMetrics(stage, prepared, configuration);
    const line = (
      name: string,
      one: { n: number; accuracy: number; interval: readonly [number, number] } | null,
    ): string[][] =>
      one
        ? [
            [
              stage.stage,
              name,
              one.n.toLocaleString("en"),
              percent(one.accuracy),
              one.interval.map((bound) => percent(bound)).join(" to "),
            ],
          ]
        : [];
    return [
      ...line("likeliest letter by log-probability", found.letterLogProbabilities),
      ...line("last match in the reply", found.lastMatch),
      ...line("test rows without a twin in train", found.withoutTwinInTrain),
    ];
  });
  const ties = stages.map((stage) => {
    const { n, count } = nearTies(stage.predictions);
    return n === 0
      ? ""
      : html`<p class="soft">Near ties, ${stage.stage}: in ${count.toLocaleString("en")} of ${n.toLocaleString("en")} rows (${percent(count / n)}) the two likeliest letters lie within one bfloat16 step of each other. Where logits are rounded to bfloat16, such two may change places.</p>`;
  });
  return {
    id: "beside",
    title: "Measured beside the published accuracy",
    body: html`${table(["stage", "measured", "n", "accuracy", "95 % interval"], rows)}${ties}`,
  };
}

/** One test row from prompt to reading. */
export function workedExample(
  prediction: Prediction,
  prepared: Prepared,
  configuration: FinetuneConfiguration,
): Section {
  const row = prepared.splits.test.find((one) => one.id === prediction.id);
  return {
    id: "example",
    title: "One worked example",
    body: row
      ? html`<p class="soft">${row.id}, true answer ${row.answer}</p><pre>${rowTexts[configuration.prompt](row)}</pre><p>Reply: <code>${prediction.reply || "(empty)"}</code>, read as ${prediction.prediction ?? "nothing"}.</p>`
      : html``,
  };
}

/** The published run's fixed example and what the trained model answered. */
export const fixedExample = ({ question, choices, answer, reply, predicted }: ExampleAnswer): Section => ({
  id: "fixed-example",
  title: "The published run's example",
  body: html`<p>${question} ${choices.map((choice, index) => `(${OPTION_LETTERS[index]}) ${choice}`).join(" ")} True answer ${answer}.</p><p>Reply: <code>${reply || "(empty)"}</code>, read as ${predicted || "nothing"}.</p>`,
});
