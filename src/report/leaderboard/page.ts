import { withoutTrailing } from "../../base/trim.js";
import { spoken } from "../figures/figure.js";
import { type Html, html, raw } from "../html.js";
import { page } from "../page.js";
import { range } from "../parts.js";
import { leaderboard } from "./board.js";
import { type BoardEntries, publishedEntries } from "./entries.js";
import { boardStyle } from "./page-style.js";
import {
  type BoardCell,
  type BoardOptions,
  type BoardRow,
  type BoardSection,
  columnKinds,
  type Leaderboard,
} from "./types.js";
import { boardFormats, ownColumns, rankInWords, sectionNotes, sectionTitle, signsOf } from "./write.js";

/** What a page of the leaderboard is asked for. */
export interface BoardQuery extends BoardOptions {
  readonly published: boolean;
  readonly intervals: boolean;
}

/** Reads an address's query; what it has of unknown names counts as not said. */
export function boardQuery(query: URLSearchParams): BoardQuery {
  const several = (name: string): readonly string[] | undefined => {
    const given = query.getAll(name).filter(Boolean);
    return given.length ? given : undefined;
  };
  return {
    columns: columnKinds.find((kind) => kind === query.get("columns")),
    languages: several("language"),
    categories: several("category"),
    subjects: several("subject"),
    sort: query.get("sort") ?? undefined,
    published: query.get("published") !== "no",
    intervals: query.get("intervals") === "yes",
  };
}

/** The address of a query; the empty one of the defaults. */
function addressOf(query: BoardQuery, path = "/leaderboard"): string {
  const words = new URLSearchParams();
  if (query.columns) words.set("columns", query.columns);
  for (const language of query.languages ?? []) words.append("language", language);
  for (const category of query.categories ?? []) words.append("category", category);
  for (const subject of query.subjects ?? []) words.append("subject", subject);
  if (query.sort) words.set("sort", query.sort);
  if (!query.published) words.set("published", "no");
  if (query.intervals) words.set("intervals", "yes");
  return withoutTrailing(`${path}?${words}`, "?");
}

/** The leaderboard that a query asks for. */
export const boardOf = ({ entries, table }: BoardEntries, query: BoardQuery): Leaderboard =>
  leaderboard([...entries, ...(query.published ? publishedEntries() : [])], table, query);

/** The leaderboard as a page of the viewer. */
export function leaderboardPage(outputs: string, entries: BoardEntries, query: BoardQuery, foot: string): string {
  const board = boardOf(entries, query);
  const lead = html`<h1>Leaderboard</h1><p class="soft">${entries.entries.length} ${entries.entries.length === 1 ? "entry" : "entries"} of runs in ${outputs}${query.published ? ", beside the figures that MMMLU's authors publish" : ""}. Tables of different data, protocols or numbers of examples are apart: their figures may not be compared.</p>
${filters(entries, board, query)}`;
  const sections = board.sections.map((section, index) => ({
    id: `board-${index + 1}`,
    title: sectionTitle(section),
    body: html`${table(board, section, query)}<details><summary>What it says</summary><ul>${sectionNotes(section).map((note) => html`<li>${note}</li>`)}</ul></details>`,
  }));
  const leftOut = entries.leftOut.length
    ? [
        {
          id: "left-out",
          title: "Left out",
          body: html`<ul>${entries.leftOut.map(({ run, why }) => html`<li>${run}: ${why}</li>`)}</ul>`,
        },
      ]
    : [];
  const none = { id: "none", title: "Nothing to show", body: html`<p>No finished run has such answers.</p>` };
  return page("Leaderboard", lead, [...(sections.length ? sections : [none]), ...leftOut], {
    extraHead: raw(`<style>${boardStyle}</style>`),
    foot,
  });
}

function filters({ table: rows, entries }: BoardEntries, board: Leaderboard, query: BoardQuery): Html {
  const option = (value: string, text: string, chosen: boolean): Html =>
    html`<option value="${value}"${raw(chosen ? " selected" : "")}>${text}</option>`;
  const select = (name: string, label: string, all: readonly (readonly [string, string])[], chosen: string): Html =>
    html`<label>${label}<select name="${name}">${all.map(([value, text]) => option(value, text, value === chosen))}</select></label>`;
  const published = publishedEntries()[0]!.accuracies!.keys();
  const languages = [...new Set([...(entries.length ? rows.languages.all : []), ...published])].sort();
  const names = (all: readonly string[]): [string, string][] => [
    ["", "all"],
    ...[...all].sort().map((name): [string, string] => [name, spoken(name)]),
  ];
  return html`<form action="/leaderboard" class="filters" aria-label="What the tables show">
${select(
  "columns",
  "Columns",
  columnKinds.map((kind) => [kind, kind]),
  board.columns.kind,
)}
${select("category", "Category", names(rows.categories.all), query.categories?.[0] ?? "")}
${select("subject", "Subject", names(rows.subjects.all), query.subjects?.[0] ?? "")}
${select(
  "published",
  "Published figures",
  [
    ["yes", "shown"],
    ["no", "hidden"],
  ],
  query.published ? "yes" : "no",
)}
${select(
  "intervals",
  "Intervals",
  [
    ["no", "of means"],
    ["yes", "of every cell"],
  ],
  query.intervals ? "yes" : "no",
)}
<fieldset><legend>Languages</legend>${languages.map((name) => html`<label class="choice"><input type="checkbox" name="language" value="${name}"${raw(query.languages?.includes(name) ? " checked" : "")}>${name}</label>`)}</fieldset>
${query.sort ? html`<input type="hidden" name="sort" value="${query.sort}">` : ""}<button type="submit">Show</button>
</form><p class="soft">No language ticked means all. As a file: ${boardFormats.map((format, at) => html`${at ? ", " : ""}<a href="${addressOf(query, `/leaderboard/${format}`)}">${format}</a>`)}.</p>`;
}

/** Lowest and highest accuracy of a section's cells: the ends of its colours. */
function endsOf({ rows }: BoardSection): [number, number] {
  const all = rows.flatMap(({ cells, mean, all }) => [
    ...cells.map((cell) => cell?.accuracy),
    mean?.mean,
    all?.accuracy,
  ]);
  const known = all.filter((value) => value !== undefined);
  return [Math.min(...known), Math.max(...known)];
}

function table(board: Leaderboard, whole: BoardSection, query: BoardQuery): Html {
  const { names, section } = ownColumns(board, whole);
  const [low, high] = endsOf(section);
  const heat = (value: number): number => Math.round(high > low ? (100 * (value - low)) / (high - low) : 50);
  const percentOf = (value: number): string => (100 * value).toFixed(1);
  const cell = (one: BoardCell | undefined, wide: boolean): Html =>
    one
      ? html`<td class="number heat" style="--h:${heat(one.accuracy)}" title="${range(one.interval)}, ${one.n.toLocaleString("en")} rows">${percentOf(one.accuracy)}${wide ? html`<small>${range(one.interval)}</small>` : ""}</td>`
      : html`<td class="number soft">–</td>`;
  const mean = ({ mean: one }: BoardRow): BoardCell | undefined =>
    one && { accuracy: one.mean, interval: one.interval, n: 0 };
  const head = (name: string, sort?: string): Html => {
    const chosen = sort !== undefined && board.sort === sort;
    const label = sort === undefined ? name : html`<a href="${addressOf({ ...query, sort })}">${name}</a>`;
    const order = chosen ? raw(` aria-sort="${sort === "model" ? "ascending" : "descending"}"`) : "";
    return html`<th scope="col"${order} class="${sort === undefined || sort === "model" ? "" : "number"}">${label}${chosen ? (sort === "model" ? " ▴" : " ▾") : ""}</th>`;
  };
  return html`<div class="heat-key" aria-hidden="true"><span>${percentOf(low)} %</span><i></i><span>${percentOf(high)} %</span></div>
<div class="scroll"><table class="board"><thead><tr>${head("rank")}${head("model", "model")}${head("split")}${head("rows")}${head("mean", "mean")}${head("all rows", "all")}${names.map((name) => head(board.columns.kind === "languages" ? name : spoken(name), name))}</tr></thead><tbody>
${section.rows.map(
  (row) =>
    html`<tr class="${row.source}"><td class="whole" title="${row.ties.length ? `not told apart from ${row.ties.join(", ")}` : ""}">${rankInWords(row)}</td><th scope="row">${modelCell(row)}</th><td>${row.split}</td><td class="number">${row.n.toLocaleString("en")}</td>${cell(mean(row), true)}${cell(row.all, true)}${row.cells.map((one) => cell(one, query.intervals))}</tr>`,
)}
</tbody></table></div>`;
}

function modelCell(row: BoardRow): Html {
  const signs = signsOf(row);
  const why = row.cautions.map(({ sign, why }) => `${sign} ${why}`).join("; ");
  const [run] = row.runs;
  const from =
    row.source === "published"
      ? html`<small>published</small>`
      : html`<small>${row.runs.length === 1 ? html`<a href="/run/${encodeURIComponent(run!)}">${run}</a>` : `${row.runs.length} runs`}</small>`;
  return html`${row.model}${signs ? html` <abbr title="${why}">${signs}</abbr>` : ""} ${from}`;
}
