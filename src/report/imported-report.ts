import { evaluationMetrics, evaluationStatistics } from "../evaluate/index.js";
import type { Result } from "../exchange/index.js";
import { percent } from "./figures/figure.js";
import { type AnswersReport, answersReport } from "./run-report.js";

/** The report of another tool's result, as of a run of ours: what is not known of it is not said. */
export function importedReport(results: readonly Result[]): AnswersReport {
  const [first] = results as readonly [Result, ...Result[]];
  const facts = Object.entries(first.facts).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return answersReport(
    {
      name: first.name,
      description: `Written by ${first.tool}, read from ${first.path}`,
      configuration: first.facts,
      manifest: { kind: "evaluate", seeds: {}, sample: false, notes: results.flatMap(({ notes }) => notes) },
      facts: [
        ["Tool", first.tool],
        ...facts,
        ...(first.reported === undefined
          ? []
          : ([["Accuracy as the tool tells it", percent(first.reported)]] as [string, string][])),
      ],
      protocolDifferences: [],
    },
    {
      stages: results.map(({ predictions }) => ({
        stage: predictions[0]?.stage ?? "",
        statistics: evaluationStatistics(predictions),
        confusion: evaluationMetrics(predictions).confusion,
      })),
      predictions: results.flatMap(({ predictions }) => predictions),
      rows: [...first.texts].flatMap(([id, { question, choices = [] }]) =>
        question === undefined ? [] : [{ id, question, choices }],
      ),
    },
  );
}
