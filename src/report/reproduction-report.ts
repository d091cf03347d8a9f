import { lossFigure, percent } from "./figures/index.js";
import { type Html, html } from "./html.js";
import { page, type Section } from "./page.js";
import { figures as drawn, range, table } from "./parts.js";
import type { TrainingCurves } from "./training-curves.js";

/** An experiment's published figures beside measured ones, or why there are none. */
export interface ReproducedExperiment {
  readonly experiment: string;
  readonly folder: string;
  /** Whether the figures can be held against each other: false on the sample. */
  readonly comparable: boolean;
  readonly figures: readonly ShownFigure[];
  readonly protocolDifferences: readonly string[];
  /** The run's training, where it trained. */
  readonly curves?: Omit<TrainingCurves, "tiles">;
}

/** One published figure beside the measured one. */
export interface ShownFigure {
  readonly name: string;
  /** What it is one of many of, such as a confusion matrix: such are told together. */
  readonly group?: string;
  readonly published: number;
  /** undefined where the run does not tell it. */
  readonly measured: number | undefined;
  /** How both are written. */
  readonly unit: "count" | "share" | "number";
  /** 95 % interval of a measured accuracy, clustered by question, to hold the published one against. */
  readonly interval?: readonly [number, number];
  /** Whether the two agree, where that can be said. */
  readonly agrees: boolean | undefined;
}

/** A figure as it is written: 12,345, 53.9 %, 1.390288 */
export function written(value: number | undefined, unit: "count" | "share" | "number"): string {
  if (value === undefined) return "–";
  if (unit === "share") return percent(value, 2);
  return unit === "count" || Number.isInteger(value)
    ? value.toLocaleString("en")
    : String(Number(value.toPrecision(7)));
}

/** Figures by their group, in the order in which groups are first met; those of none under undefined. */
export function byGroup<F extends Pick<ShownFigure, "group">>(figures: readonly F[]): Map<string | undefined, F[]> {
  const groups = new Map<string | undefined, F[]>([[undefined, []]]);
  for (const figure of figures) {
    const own = groups.get(figure.group);
    if (own) own.push(figure);
    else groups.set(figure.group, [figure]);
  }
  return groups;
}

/** How a group's figures compare, in words: `14 of 16 agree`, or `16 figures` where that cannot be said. */
export function groupInWords(figures: readonly ShownFigure[], comparable: boolean): string {
  const held = figures.filter(({ agrees }) => agrees !== undefined);
  const all = `${figures.length.toLocaleString("en")} figures`;
  if (!comparable || held.length === 0) return all;
  return (
    `${held.filter(({ agrees }) => agrees).length} of ` +
    `${held.length === figures.length ? all : `${held.length} that can be held against each other`} agree`
  );
}

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
    "Published beside measured",
    html`<h1>Published beside measured</h1><p class="soft">Counts agree where they are the same; an accuracy agrees where the published one lies in the interval of the measured one.</p>`,
    sections,
  );
}
