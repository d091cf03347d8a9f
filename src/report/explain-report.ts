import type { Explanation } from "../exchange/index.js";
import { type Figure, percent, points } from "./figures/figure.js";
import { waterfallFigure } from "./figures/waterfall.js";
import { html } from "./html.js";
import { page, type Section } from "./page.js";
import { figures, table, tiles } from "./parts.js";

/** What asking the deciding rows again has told. */
export interface AskedAgainReport {
  readonly rows: number;
  readonly parts: readonly {
    readonly title: string;
    readonly value: number;
    readonly interval: readonly [number, number];
  }[];
  readonly said: readonly string[];
}

/** 95 %, in points */
const between = (interval: readonly [number, number] | undefined): string =>
  interval ? `${points(interval[0], false)} to ${points(interval[1], false)}` : "exactly";

/** The report of `mmmlu explain`. */
export function explainReport(
  found: Explanation,
  notes: readonly string[],
  asked?: AskedAgainReport,
): { html: string; figures: readonly Figure[] } {
  const figure = waterfallFigure(found);
  const title = `Why ${found.second.name} and ${found.first.name} differ`;
  const largest = [...found.parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value))[0];
  const sections: Section[] = [
    {
      id: "parts",
      title: "The difference in parts",
      body: html`${figures([figure])}
${table(
  ["part", "points", "95 %, in points", "rows", "what it rests on"],
  [
    ...found.parts.map((part) => [part.title, points(part.value, false), between(part.interval), part.rows, part.said]),
    ["together", points(found.difference, false), "", "", "the whole difference"],
  ],
  "Each step changes one thing and keeps all others; the parts add up to the whole",
)}`,
    },
    {
      id: "factors",
      title: "What differs",
      body: html`${
        found.factors.length
          ? table(
              ["what", "how"],
              found.factors.map(({ factor, what }) => [factor, what]),
            )
          : html`<p>Nothing that either of both says.</p>`
      }<ul>${[...found.told, ...found.untold].map((line) => html`<li>${line}</li>`)}</ul>`,
    },
    ...(asked
      ? [
          {
            id: "asked",
            title: "Asked again under exchanged settings",
            body: html`${table(
              ["part of the rest", "points", "95 %, in points"],
              asked.parts.map((part) => [part.title, points(part.value, false), between(part.interval)]),
              `${asked.rows} deciding rows were asked again`,
            )}<ul>${asked.said.map((line) => html`<li>${line}</li>`)}</ul>`,
          },
        ]
      : []),
    ...(notes.length
      ? [
          {
            id: "notes",
            title: "How the rows were matched",
            body: html`<ul>${notes.map((line) => html`<li>${line}</li>`)}</ul>`,
          },
        ]
      : []),
  ];
  return {
    figures: [figure],
    html: page(
      title,
      html`<h1>${title}</h1>${tiles([
        {
          name: found.first.name,
          value: percent(found.first.accuracy),
          under: [found.first.tool, `${found.first.n.toLocaleString("en")} rows`],
        },
        {
          name: found.second.name,
          value: percent(found.second.accuracy),
          under: [found.second.tool, `${found.second.n.toLocaleString("en")} rows`],
        },
        {
          name: "Difference",
          value: points(found.difference),
          under: `${found.common.toLocaleString("en")} rows in common`,
        },
        ...(largest ? [{ name: "Largest part", value: largest.title, under: points(largest.value) }] : []),
      ])}`,
      sections,
    ),
  };
}
