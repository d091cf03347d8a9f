import {
  type Accuracy,
  type ClusteredInterval,
  type EvaluationStatistics,
  FEW_QUESTIONS,
  type Interval,
} from "../evaluate/index.js";
import { type Figure, percent, spoken, WIDE } from "./figures/figure.js";
import { endsOf, some } from "./figures/ties.js";
import { type Html, html, raw } from "./html.js";

/** 25.0–31.2 %, never broken over lines */
export const range = ([low, high]: Interval): string =>
  `${(100 * low).toFixed(1)}\u2060–\u2060${(100 * high).toFixed(1)}\u00a0%`;

export interface Tile {
  readonly name: string;
  readonly value: string;
  /** A line under the value, or several. */
  readonly under?: string | readonly string[];
}

export function tiles(all: readonly Tile[]): Html {
  return html`<dl class="${all.length === 5 ? "tiles five" : "tiles"}">${all.map((tile) => html`<div class="tile"><dt>${tile.name}</dt><dd class="value">${tile.value}</dd>${[tile.under ?? []].flat().map((line) => html`<dd class="under">${line}</dd>`)}</div>`)}</dl>`;
}

/** An accuracy as a headline: with its clustered interval, and the published figure beside it. */
export function accuracyTile(name: string, accuracy: Accuracy, clustered: ClusteredInterval, published?: number): Tile {
  return {
    name,
    value: percent(accuracy.accuracy),
    under: [
      `95 %: ${range(clustered.interval)}`,
      `${accuracy.correct.toLocaleString("en")} of ${accuracy.n.toLocaleString("en")} rows`,
      ...(accuracy.fewQuestions ? [`few questions: ${accuracy.questions}`] : []),
      ...(published === undefined ? [] : [`published ${percent(published)}`]),
    ],
  };
}

export function figures(
  all: readonly Figure[],
  wide: (figure: Figure) => boolean = (figure) => figure.svg.includes(`width="${WIDE}"`),
): Html {
  return html`<div class="figures">${all.map((figure) => html`<figure class="${wide(figure) ? "wide" : ""}"><figcaption>${figure.title}</figcaption><div class="scroll drawn">${raw(figure.svg)}</div><div class="scroll drawn-narrow">${raw(figure.narrow)}</div></figure>`)}</div>`;
}

export type Cell = string | number | Html;

/** A table; columns whose cells are numbers are set to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], caption?: string): Html {
  const numeric = head.map(
    (_, index) =>
      rows.length > 0 &&
      rows.every((row) => typeof row[index] === "number" || /^[-+]?[\d.,]+( %)?$/.test(String(row[index]))),
  );
  const className = (index: number): string => (numeric[index] ? "number" : "");
  // Without headings it is a list of names and values.
  if (head.every((name) => name === "")) {
    return html`<div class="scroll"><table><tbody>${rows.map(([name, ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${typeof cell === "number" ? cell.toLocaleString("en") : cell}</td>`)}</tr>`)}</tbody></table></div>`;
  }
  return html`<div class="scroll"><table class="${head.length > 2 ? "cards" : ""}">${caption ? html`<caption class="soft">${caption}</caption>` : ""}<thead><tr>${head.map((name, index) => html`<th scope="col" class="${className(index)}">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, index) => html`<td class="${className(index)}" data-head="${head[index]}">${typeof cell === "number" ? cell.toLocaleString("en") : cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** The subjects as a table: what the figure shows, for those who want the numbers. */
export function subjectTable(statistics: EvaluationStatistics): Html {
  return html`<details><summary>All ${statistics.subjects.length} subjects as a table</summary>${table(
    [
      "subject",
      "category",
      "rows",
      "questions",
      "accuracy",
      "95 % by question",
      "95 % by row (Wilson)",
      "shrunken",
      "note",
    ],
    statistics.subjects.map((one) => [
      spoken(one.subject),
      one.category,
      one.n,
      one.questions,
      percent(one.accuracy),
      range(one.clusteredInterval),
      range(one.interval),
      percent(one.shrunken),
      one.fewQuestions ? "few questions" : "",
    ]),
  )}</details>`;
}

/** Best and worst, never named on the strength of a handful of questions. */
export function extremes(statistics: EvaluationStatistics): Html {
  const ranked = statistics.subjects.filter((one) => !one.fewQuestions);
  const ends = endsOf(ranked);
  const left = statistics.subjects.length - ranked.length;
  const how =
    "The orange diamond in the figure is an estimate drawn towards the mean, the more so the fewer questions a " +
    "subject has: rank by it.";
  if (!ends || ranked.length < 2)
    return html`<p>Too few subjects have ${FEW_QUESTIONS} questions: none is named best or worst. ${how}</p>`;
  const rest = left > 0 ? `${left} subjects with fewer than ${FEW_QUESTIONS} questions are not ranked here.` : "";
  if (ends[0].length === ranked.length)
    return html`<p>None is named best or worst: by chance alone ${ranked.length} subjects could differ as much, and all are estimated at ${percent(ranked[0]!.shrunken)}. ${rest} ${how}</p>`;
  const [best, worst] = ends.map((tied) => {
    const named = tied
      .slice(0, 3)
      .map(
        (one, at) =>
          html`${at ? "; " : ""}<b>${spoken(one.subject)}</b>, ${percent(one.accuracy)} of ${one.n} rows (95 %: ${range(one.clusteredInterval)})`,
      );
    return html`${named}${tied.length > 3 ? `; and ${tied.length - 3} more alike` : ""}`;
  });
  return html`<p>Best: ${best}. Worst: ${worst}.
${rest} ${how}</p>`;
}

/** Best and worst by plain accuracy over all subjects, however few their rows, as the published runs told them. */
export function extremesAsPublished({ subjects }: EvaluationStatistics): Html {
  if (subjects.length < 2) return html``;
  const named = (accuracy: number): string => {
    const tied = subjects.filter((one) => one.accuracy === accuracy);
    const names = tied.map(({ subject, n }) => `${spoken(subject)} (${n} ${n === 1 ? "row" : "rows"})`);
    return `${some(names)} at ${percent(accuracy)}`;
  };
  const accuracies = subjects.map(({ accuracy }) => accuracy);
  const [highest, lowest] = [Math.max(...accuracies), Math.min(...accuracies)];
  const told =
    highest === lowest
      ? `all ${subjects.length} at ${percent(highest)}`
      : `highest ${named(highest)}; lowest ${named(lowest)}`;
  return html`<p class="soft">As published, by plain accuracy and however few the rows: ${told}.</p>`;
}
