import { type ReadingName, readLetter, rowTexts } from "../answer/index.js";
import { evaluationMetrics, evaluationStatistics, lettersOfAnswers, type Prediction } from "../evaluate/index.js";
import { html, percent, type Section, table } from "../report/index.js";
import { OPTION_LETTERS } from "../tasks/index.js";
import type { Stage } from "./answers.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import type { Prepared } from "./prepare.js";

/**
 * How a run's replies are read: as published, and for Gemma by the last match too. A reply may end where all of these are settled:
 * one that was ended for the first match alone has no last one.
 */
export const readingsOf = ({
  prompt,
  evaluation,
}: Pick<FinetuneConfiguration, "prompt" | "evaluation">): ReadingName[] =>
  prompt === "gemma-2" ? [evaluation.answerExtraction, "last-match"] : [evaluation.answerExtraction];

/**
 * Measurements beside the published one: the letters' log-probabilities, the last-match reading (Gemma's), rows without a twin
 * in train.
 */
export function measuredBeside(
  stage: Stage,
  prepared: Prepared,
  configuration: Pick<FinetuneConfiguration, "prompt" | "evaluation">,
) {
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
    lastMatch: readingsOf(configuration).includes("last-match")
      ? brief(
          stage.predictions.map((one) => ({
            ...one,
            prediction: readLetter("last-match", one.reply, lettersOfAnswers([one])),
          })),
        )
      : null,
    withoutTwinInTrain: clean.size ? brief(stage.predictions.filter((one) => clean.has(one.id))) : null,
  };
}

const indexOfLargest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** The same as a section of the report. */
export function besideSection(
  stages: readonly Stage[],
  prepared: Prepared,
  configuration: FinetuneConfiguration,
): Section {
  const rows = stages.flatMap((stage) => {
    const found = measuredBeside(stage, prepared, configuration);
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
  return {
    id: "beside",
    title: "Measured beside the published accuracy",
    body: table(["stage", "measured", "n", "accuracy", "95 % interval"], rows),
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
