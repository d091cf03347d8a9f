import type { Accuracy, Comparison } from "../evaluate/index.js";
import { changeFigure, type Figure, percent, points, runsFigure, spoken } from "./figures/index.js";
import { type Html, html } from "./html.js";
import { page, type Section } from "./page.js";
import { figures, range, table, tiles } from "./parts.js";
import { NOT_ALIKE } from "./viewer/runs.js";

/** 0.0123, or < 0.0001 */
export const pValue = (p: number): string => (p < 1e-4 ? "< 0.0001" : p.toFixed(4));

/**
 * The report of `mmmlu compare`.
 * @param apart where runs were asked otherwise than others, a line each, as `askedApart` gives them
 */
export function comparisonReport(
  comparison: Comparison,
  apart: readonly string[] = [],
  further: readonly Section[] = [],
): { html: string; figures: readonly Figure[] } {
  const drawn = comparison.pairs.map((pair, index) => changeFigure(pair, `change-by-subject-${index + 1}`));
  const runs = runsFigure(comparison);
  const several = comparison.pairs.length > 1;
  const leftOut = comparison.runs.some((run) => run.leftOut > 0);
  const sections: Section[] = [
    {
      id: "runs",
      title: "The runs on their common rows",
      body: html`${
        apart.length
          ? html`<div class="notice" role="note"><p>${NOT_ALIKE}</p><ul>${apart.map((line) => html`<li>${line}</li>`)}</ul></div>`
          : ""
      }${
        leftOut
          ? html`<p class="notice" role="note">${comparison.runs
              .filter((run) => run.leftOut > 0)
              .map(
                (run) =>
                  `${run.leftOut.toLocaleString("en")} of ${run.name}'s ${run.answered.toLocaleString("en")} rows`,
              )
              .join(" and ")} are left out here: not every run answered them.</p>`
          : ""
      }
${figures([runs])}
${table(
  ["run", "rows answered", "left out here", "accuracy", "95 % by question", "macro", "95 % of macro", "unreadable"],
  comparison.runs.map((run) => [
    run.name,
    run.answered,
    run.leftOut,
    percent(run.statistics.overall.accuracy),
    range(run.statistics.clustered.interval),
    percent(run.statistics.macroAccuracy),
    range(run.statistics.macroInterval),
    percent(run.statistics.unreadableShare),
  ]),
)}`,
    },
    { id: "groups", title: "By language and category", body: groupTable(comparison) },
    ...comparison.pairs.map((pair, index): Section => {
      const moved = pair.subjects.filter((one) => one.moved);
      return {
        id: `pair-${index + 1}`,
        title: `${pair.second} against ${pair.first}`,
        body: html`${tiles([
          {
            name: "Difference",
            value: points(pair.difference),
            under: [
              `95 %: ${points(pair.interval[0], false)} to ${points(pair.interval[1], false)}`,
              "paired, clustered by question",
              `bootstrap over questions: ${points(pair.bootstrapInterval[0], false)} to ` +
                `${points(pair.bootstrapInterval[1], false)}, too narrow where few changed`,
            ],
          },
          {
            name: "McNemar's exact test, by question",
            value: `p ${pair.clusteredPValue < 1e-4 ? "" : "= "}${pValue(pair.clusteredPValue)}`,
            under: [
              ...(several
                ? [`Holm over ${comparison.pairs.length} pairs: ${pValue(pair.adjustedClusteredPValue)}`]
                : []),
              `by row: ${pValue(pair.pValue)}${several ? `, Holm ${pValue(pair.adjustedPValue)}` : ""}`,
            ],
          },
          {
            name: "Rows that only one got right",
            value: `${pair.onlyFirst.toLocaleString("en")} : ${pair.onlySecond.toLocaleString("en")}`,
            under: `only ${pair.first} : only ${pair.second}`,
          },
          {
            name: "Subjects that moved",
            value: String(moved.length),
            under: [`of ${pair.subjects.length}`, "p by question, after Holm's correction"],
          },
        ])}
${
  moved.length
    ? html`<p>Moved: ${moved.map((one) => `${spoken(one.subject)} ` + `(${points(one.difference)})`).join(", ")}.</p>`
    : html`<p>No subject's change is more than chance may make.</p>`
}
${figures([drawn[index] as Figure])}
<details><summary>All subjects as a table</summary>${table(
          [
            "subject",
            "rows",
            "questions",
            pair.first,
            pair.second,
            "difference",
            "95 %, in points",
            "p by row",
            "p by question",
            "p by question (Holm)",
            "note",
          ],
          pair.subjects.map((one) => [
            spoken(one.subject),
            one.n,
            one.questions,
            percent(one.firstAccuracy),
            percent(one.secondAccuracy),
            points(one.difference),
            `${points(one.interval[0], false)} to ${points(one.interval[1], false)}`,
            pValue(one.pValue),
            pValue(one.clusteredPValue),
            pValue(one.adjustedClusteredPValue),
            [...(one.moved ? ["moved"] : []), ...(one.fewQuestions ? ["few questions"] : [])].join(", "),
          ]),
        )}</details>`,
      };
    }),
  ];
  const title = `Comparison of ${comparison.runs.map((run) => run.name).join(", ")}`;
  return {
    figures: [runs, ...drawn],
    html: page(
      title,
      html`<h1>${title}</h1><p class="soft">${comparison.rows.toLocaleString("en")} rows that all runs answered, of ${comparison.questions.toLocaleString("en")} questions; seed ${comparison.seed}.</p>`,
      [...sections, ...further],
    ),
  };
}

/** Each run's accuracy by language and by category, with intervals. */
function groupTable({ runs }: Comparison): Html {
  const cell = (one: Accuracy | undefined): string =>
    one ? `${percent(one.accuracy)} (${range(one.clusteredInterval)})` : "–";
  const [first] = runs;
  const rows = [
    ...(first?.statistics.languages ?? []).map(({ language, n }) => [
      language,
      n,
      ...runs.map((run) => cell(run.statistics.languages.find((one) => one.language === language))),
    ]),
    ...(first?.statistics.categories ?? []).map(({ category, n }) => [
      category,
      n,
      ...runs.map((run) => cell(run.statistics.categories.find((one) => one.category === category))),
    ]),
  ];
  return table(
    ["rows of", "n", ...runs.map(({ name }) => name)],
    rows,
    "Accuracy, and its 95 % interval clustered by question",
  );
}
