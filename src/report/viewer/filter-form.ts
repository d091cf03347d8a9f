import { type Html, html } from "../html.js";
import { titleOfStage } from "../stages.js";
import { FIELDS, type FilterFault, LONGEST_FILTER } from "./filter.js";
import type { FilteredRows } from "./filtered-rows.js";
import type { RowQuery } from "./rows.js";
import type { FoundRun } from "./runs.js";

/** What came of a list's filter. */
export type Filtered = { readonly fault: FilterFault } | FilteredRows;

/** A stage of a run that may stand beside another. */
export interface Beside {
  readonly run: FoundRun;
  readonly stage: string;
}

export const nameOfBeside = ({ run, stage }: Beside): string => `${run.folder}:${stage}`;

/** What may stand beside a run: its own stages where it has several, and those of all others that have answers. */
export const choicesBeside = (own: FoundRun, runs: readonly FoundRun[]): Beside[] =>
  [own, ...runs.filter((run) => run !== own && !run.movedAside && run.fault === undefined)].flatMap((run) =>
    run === own && run.accuracies.length < 2 ? [] : run.accuracies.map(({ stage }) => ({ run, stage })),
  );

/** Filters to begin with. */
const EXAMPLES = [
  "outcome = wrong and tokens > 200",
  "outcome = right and confidence < 60%",
  'outcome = wrong and reply contains "not sure"',
  "cut or (outcome = unreadable and seconds > 30)",
];
const BESIDE_EXAMPLES = ["predicted != other.predicted", "outcome = wrong and other.outcome = right"];

/** The box of the filter with its fault or its count, and how one is written. */
export function filterBox(
  query: RowQuery,
  filtered: Filtered | undefined,
  choices: readonly Beside[],
  address: (query: RowQuery) => string,
): Html {
  const fault = filtered && "fault" in filtered ? filtered.fault : undefined;
  const unknown = filtered && "unknown" in filtered ? filtered.unknown : 0;
  const attributes = fault ? html` aria-invalid="true" autofocus` : "";
  const example = (where: string, beside: string): Html =>
    html`<li><a href="${address({ ...query, where, beside })}"><code>${where}</code></a></li>`;
  return html`<label class="expression">Filter<input type="text" name="where" value="${query.where}" maxlength="${LONGEST_FILTER}" placeholder="outcome = wrong and tokens > 200" spellcheck="false" autocapitalize="none" autocomplete="off" aria-describedby="where-about"${attributes}></label>
${choices.length ? html`<label>Beside, as other<select name="beside"><option value="">nothing</option>${choices.map((one) => html`<option value="${nameOfBeside(one)}"${nameOfBeside(one) === query.beside ? html` selected` : ""}>${one.run.folder}: ${titleOfStage(one.stage)}</option>`)}</select></label>` : ""}
<div id="where-about" class="about">${fault ? faultOf(query.where, fault) : ""}${unknown ? html`<p class="soft">Of ${unknown.toLocaleString("en")} answers nobody knows: a value that the filter names is not kept of them.</p>` : ""}</div>
<details class="about"><summary>How a filter is written</summary>
<p>A field, a comparison (<code>=</code> <code>!=</code> <code>&lt;</code> <code>&lt;=</code> <code>&gt;</code> <code>&gt;=</code> <code>contains</code> <code>not contains</code>), a value or another field; joined by <code>and</code>, <code>or</code>, <code>not</code> and brackets. Values of several words stand in quotation marks; case makes no difference. It stands in the page's address: send that to share it.</p>
<ul>${EXAMPLES.map((where) => example(where, query.beside))}${choices[0] ? BESIDE_EXAMPLES.map((where) => example(where, query.beside || nameOfBeside(choices[0]!))) : ""}</ul>
<dl class="fields">${Object.entries(FIELDS).map(([name, { about }]) => html`<div><dt><code>${name}</code></dt><dd>${about}</dd></div>`)}<div><dt><code>other.…</code></dt><dd>the same of the run in Beside, such as other.predicted, where it asked that row</dd></div></dl></details>`;
}

/** The fault in words, and its place in what was written. */
const faultOf = (where: string, { message, at, length }: FilterFault): Html =>
  html`<p class="fault" role="alert">The filter cannot be read: ${message}${message.endsWith("?") ? "" : "."}</p><p class="fault"><code>${where.slice(0, at)}<mark>${where.slice(at, at + length) || " "}</mark>${where.slice(at + length)}</code></p>`;
