import type { Comparison } from "../evaluate/index.js";
import { changeFigure, type Figure, percent, spoken } from "./figures/index.js";
import { html } from "./html.js";
import { page, type Section } from "./page.js";
import { figures, range, table, tiles } from "./parts.js";

/** 0.0123, or < 0.0001 */
export const pValue = (p: number): string => (p < 1e-4 ? "< 0.0001" : p.toFixed(4));

const signed = (share: number): string => `${share >= 0 ? "+" : "−"}${percent(Math.abs(share))}`;

/** The report of `mmmlu compare`. */
export function comparisonReport(comparison: Comparison): { html: string; figures: readonly Figure[] } {
  const drawn = comparison.pairs.map((pair, index) => changeFigure(pair, `change-by-subject-${index + 1}`));
  const sections: Section[] = [
    {
      id: "runs",
      title: "The runs on their common rows",
      body: table(
        ["run", "rows answered", "left out here", "accuracy", "95 % interval (clustered)", "macro", "unreadable"],
        comparison.runs.map((run) => [
          run.name, run.answered, run.leftOut, percent(run.statistics.overall.accuracy), range(run.statistics.clustered.interval), percent(run.statistics.macroAccuracy), percent(run.statistics.unreadableShare),
        ]),
      ),
    },
    ...comparison.pairs.map((pair, index): Section => {
      const moved = pair.subjects.filter((one) => one.moved);
      return {
        id: `pair-${index + 1}`,
        title: `${pair.second} against ${pair.first}`,
        body: html`${tiles([
          { name: "Difference", value: signed(pair.difference), under: `95 %: ${signed(pair.interval[0])} to ${signed(pair.interval[1])}, paired bootstrap clustered by question` },
          { name: "McNemar's exact test", value: `p ${pair.pValue < 1e-4 ? "" : "= "}${pValue(pair.pValue)}`, under: comparison.pairs.length > 1 ? `Holm over ${comparison.pairs.length} pairs: ${pValue(pair.adjustedPValue)}` : "two-sided" },
          { name: "Only one is right", value: `${pair.onlyFirst} : ${pair.onlySecond}`, under: `only ${pair.first} : only ${pair.second}` },
          { name: "Subjects that moved", value: String(moved.length), under: `of ${pair.subjects.length}, after Holm's correction` },
        ])}
${figures([drawn[index] as Figure])}
<details><summary>All subjects as a table</summary>${table(
          ["subject", "n", pair.first, pair.second, "difference", "p", "p (Holm)", ""],
          pair.subjects.map((one) => [spoken(one.subject), one.n, percent(one.firstAccuracy), percent(one.secondAccuracy), signed(one.difference), pValue(one.pValue), pValue(one.adjustedPValue), one.moved ? "moved" : ""]),
        )}</details>`,
      };
    }),
  ];
  const title = `Comparison of ${comparison.runs.map((run) => run.name).join(", ")}`;
  return {
    figures: drawn,
    html: page(
      title,
      html`<h1>${title}</h1><p class="soft">${comparison.rows.toLocaleString("en")} rows that all runs answered, of ${comparison.questions.toLocaleString("en")} questions; seed ${comparison.seed}.</p>`,
      sections,
    ),
  };
}
