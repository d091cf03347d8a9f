import { lossFigure } from "./figures/index.js";
import { type Html, html } from "./html.js";
import { page, type Section } from "./page.js";
import { figures as drawn, range, table } from "./parts.js";
import { byGroup, groupInWords, type ReproducedExperiment, type ShownFigure, written } from "./published-figures.js";

/**
 * Published figures beside measured ones, those of a group folded; a verdict only where the run used the data of the
 * published one.
 */
export function publishedTable(figures: readonly ShownFigure[], comparable: boolean): Html {
  return html`${comparable ? "" : html`<p class="soft">This run used the embedded sample: its figures stand beside the published ones only to show the layout.</p>`}
${[...byGroup(figures)].map(([group, own]) =>
  group === undefined
    ? own.length
      ? figureTable(own, comparable)
      : ""
    : html`<details><summary>${group}: ${groupInWords(own, comparable)}</summary>${figureTable(own, comparable)}</details>`,
)}`;
}

function figureTable(figures: readonly ShownFigure[], comparable: boolean): Html {
  const intervals = figures.some((figure) => figure.interval);
  return html`${table(
    ["figure", "published", "measured", ...(intervals ? ["95 % interval"] : []), ...(comparable ? ["verdict"] : [])],
    figures.map((figure) => [
      figure.name,
      written(figure.published, figure.unit),
      written(figure.measured, figure.unit),
      ...(intervals ? [figure.interval ? range(figure.interval) : ""] : []),
      ...(comparable
        ? [
            figure.agrees === undefined
              ? ""
              : figure.agrees
                ? html`<span class="right">agrees</span>`
                : html`<span class="wrong">differs</span>`,
          ]
        : []),
    ]),
  )}`;
}

/** The run's losses over the published ones, where it logged any. */
function curvesOf({ curves, experiment }: ReproducedExperiment): Html | string {
  if (!curves?.points.length) return "";
  const figure = lossFigure(curves.points, curves.validation, curves.published);
  return drawn([{ ...figure, name: `${experiment}-loss` }]);
}

/** The report of `mmmlu reproduce`. @param missing experiments without a finished run, with the reason */
export function reproductionReport(
  experiments: readonly ReproducedExperiment[],
  missing: readonly { experiment: string; reason: string }[],
): string {
  const sections: Section[] = [
    ...experiments.map(
      (one): Section => ({
        id: one.experiment,
        title: one.experiment,
        body: html`${publishedTable(one.figures, one.comparable)}
${curvesOf(one)}
<h3>Where the protocol differs from the published one</h3>
${one.protocolDifferences.length ? html`<ul>${one.protocolDifferences.map((line) => html`<li>${line}</li>`)}</ul>` : html`<p>Nowhere that is known.</p>`}
<p class="soft">Run folder: ${one.folder}</p>`,
      }),
    ),
    ...(missing.length
      ? [
          {
            id: "missing",
            title: "Not run",
            body: table(
              ["experiment", "why"],
              missing.map(({ experiment, reason }) => [experiment, reason]),
            ),
          },
        ]
      : []),
  ];
  return page(
    "Published and measured",
    html`<h1>Published and measured</h1><p class="soft">Counts agree where they are the same; an accuracy agrees where the published one lies in the interval of the measured one.</p>`,
    sections,
  );
}
