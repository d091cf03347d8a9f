import type { AskedText } from "../../exchange/index.js";
import { type Html, html, raw } from "../html.js";
import type { Section } from "../page.js";
import { titleOfStage } from "../stages.js";
import { type Beside, type Filtered, filterBox } from "./filter-form.js";
import { type ListedRow, outcomeOf, outcomes } from "./listed-row.js";
import type { RowQuery } from "./rows.js";

/** Rows of a page. */
const AT_ONCE = 50;

/** Characters of a question in the list. */
const ASKED = 160;

/** Where a run's rows are, and where one of them is. */
export const rowsAt = (folder: string, query: Partial<RowQuery>, more: Readonly<Record<string, string>> = {}): string =>
  `/run/${encodeURIComponent(folder)}/rows${written({ ...query, ...more })}`;

export const rowAt = (folder: string, id: string, stage: string, query: Partial<RowQuery> = {}): string => {
  const { stage: only, ...rest } = query;
  return `/run/${encodeURIComponent(folder)}/row${written({ id, of: stage, stage: only ?? "", ...rest })}`;
};

function written(values: Readonly<Record<string, string>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** Some of the rows that were found. */
export interface RowsOfPage {
  readonly rows: readonly ListedRow[];
  /** On all pages. */
  readonly found: number;
  /** From 1. */
  readonly at: number;
  readonly last: number;
}

/** A page of rows, or the one nearest to it that there is. */
export function pageOf(found: readonly ListedRow[], pageNumber: number): RowsOfPage {
  const last = Math.max(1, Math.ceil(found.length / AT_ONCE));
  const at = Math.min(last, Math.max(1, pageNumber));
  return { rows: found.slice((at - 1) * AT_ONCE, at * AT_ONCE), found: found.length, at, last };
}

/** A run's rows: filtered and turned over by the server, so that any number of them is quick and needs no script. */
export function rowsSection(
  folder: string,
  rows: readonly ListedRow[],
  query: RowQuery,
  { rows: shown, found, at, last }: RowsOfPage,
  {
    questions,
    filtered,
    choices: besides,
    beside,
  }: {
    readonly questions: ReadonlyMap<string, AskedText>;
    /** What came of the query's filter, where it has one. */
    readonly filtered?: Filtered;
    readonly choices: readonly Beside[];
    /** The answers of the run beside it, by row id. */
    readonly beside?: ReadonlyMap<string, ListedRow>;
  },
): { readonly lead: Html; readonly section: Section } {
  const number = (value: number): string => value.toLocaleString("en");
  const lead = html`<h1>${folder}: row by row</h1><p class="soft">Every answer with all that was said: prompt, reply, reasoning, probabilities, attempts made again.</p>`;
  const several = new Set(rows.map(({ stage }) => stage)).size > 1;
  const choices = [
    several ? choice("stage", "Stage", rows, query, titleOfStage) : "",
    choice("language", "Language", rows, query),
    choice("subject", "Subject", rows, query),
  ];
  const body = html`<form class="filters" role="search" aria-label="Filter the rows">
<label>Search<input type="search" name="search" value="${query.search}" placeholder="id, question, reply, reasoning"></label>
${choices}
<label>Outcome<select name="outcome"><option value="">all</option>${outcomes.map((one) => html`<option${selected(one === query.outcome)}>${one}</option>`)}</select></label>
${filterBox(query, filtered, besides, (other) => rowsAt(folder, other))}
<button type="submit">Show</button></form>
${onPaper(query)}<p class="soft" role="status">${number(found)} of ${number(rows.length)} answers${last > 1 ? `, page ${number(at)} of ${number(last)}` : ""}</p>
<div class="scroll"><table class="cards rows"><thead><tr><th scope="col">row</th>${several ? html`<th scope="col">stage</th>` : ""}<th scope="col">true</th><th scope="col">predicted</th><th scope="col">outcome</th>${beside ? html`<th scope="col">other</th>` : ""}${questions.size ? html`<th scope="col">question</th>` : ""}<th scope="col">reply</th></tr></thead><tbody>
${shown.map((row) => line(folder, row, query, { several, questions, beside }))}
</tbody></table></div>
${last > 1 ? turning(folder, query, at, last) : ""}`;
  return { lead, section: { id: "rows", title: "Rows", body } };
}

/** By what the rows were chosen: on paper the boxes are left out. */
function onPaper(query: RowQuery): Html | string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  return given.length
    ? html`<p class="soft on-paper">Chosen by ${given.map(([name, value], at) => html`${at ? "; " : ""}${name === "where" ? "filter" : name}: <code>${value}</code>`)}</p>`
    : "";
}

const selected = (is: boolean): Html => raw(is ? " selected" : "");

function choice(
  name: "stage" | "language" | "subject",
  label: string,
  rows: readonly ListedRow[],
  query: RowQuery,
  title = (value: string): string => value.replaceAll("_", " "),
): Html {
  const values = [...new Set(rows.map((row) => row[name]))].sort();
  return html`<label>${label}<select name="${name}"><option value="">all</option>${values.map((value) => html`<option value="${value}"${selected(value === query[name])}>${title(value)}</option>`)}</select></label>`;
}

function line(
  folder: string,
  row: ListedRow,
  query: RowQuery,
  {
    several,
    questions,
    beside,
  }: {
    readonly several: boolean;
    readonly questions: ReadonlyMap<string, AskedText>;
    readonly beside?: ReadonlyMap<string, ListedRow>;
  },
): Html {
  const other = beside?.get(row.id);
  const question = questions.get(row.id)?.question ?? "";
  const outcome = outcomeOf(row);
  return html`<tr><td data-head="row"><a href="${rowAt(folder, row.id, row.stage, query)}">${row.id}</a></td>${several ? html`<td data-head="stage">${titleOfStage(row.stage)}</td>` : ""}<td data-head="true">${row.answer}</td><td data-head="predicted">${row.prediction ?? "–"}</td><td data-head="outcome"><span class="${outcome}">${outcome}</span>${row.cut ? ", cut" : ""}</td>${beside ? html`<td data-head="other">${other ? html`${other.prediction ?? "–"} <span class="${outcomeOf(other)}">${outcomeOf(other)}</span>` : "not asked"}</td>` : ""}${questions.size ? html`<td data-head="question" class="clip" dir="auto">${question.slice(0, ASKED)}</td>` : ""}<td data-head="reply" class="clip" dir="auto">${row.reply}</td></tr>`;
}

const turning = (folder: string, query: RowQuery, at: number, last: number): Html =>
  html`<nav aria-label="Pages"><ul>${[
    ["First", 1],
    ["Previous", at - 1],
    ["Next", at + 1],
    ["Last", last],
  ].map(([name, to]) =>
    Number(to) < 1 || Number(to) > last || to === at
      ? ""
      : html`<li><a href="${rowsAt(folder, query, { page: String(to) })}">${name}</a></li>`,
  )}</ul></nav>`;
