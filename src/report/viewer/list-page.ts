import { lockHolder } from "../../base/lock.js";
import { percent } from "../figures/figure.js";
import { type Html, html, raw } from "../html.js";
import { NONCE, page } from "../page.js";
import { range } from "../parts.js";
import { titleOfStage } from "../stages.js";
import { listScript } from "./list-script.js";
import type { FoundRun } from "./runs.js";

/** Columns by which runs can be grouped. */
const FACETS = ["model", "data", "protocol", "split"] as const;

/** The list of runs: sorted, filtered and grouped in the page; those that were moved aside are folded away. */
export function listPage(outputs: string, runs: readonly FoundRun[], foot: string): string {
  const lead = html`<h1>Runs</h1><p class="soft">${runs.length ? `${runs.length} in ${outputs}` : html`There are none in ${outputs} yet: <code>mmmlu run eda</code> makes one.`}</p><p><a href="/leaderboard">Leaderboard</a>: all answers by model and language.</p>`;
  if (runs.length === 0) return page("Runs", lead, [], { foot });
  const current = runs.filter((run) => !run.movedAside);
  const aside = runs.filter((run) => run.movedAside);
  const body = html`<form action="/compare"><p class="soft">Open a run, or tick two or more and compare them.</p>
<div class="filters" role="search" aria-label="Filter the runs">
<label>Search<input type="search" id="runs-search" placeholder="name, model, data …"></label>
<label>Group by<select id="runs-group"><option value="">nothing</option>${FACETS.map((name) => html`<option value="${name}">${name}</option>`)}</select></label>
</div>
<p class="soft" id="runs-count" role="status" aria-live="polite"></p>
${runTable(current, "runs-table")}
${aside.length ? html`<details><summary>${aside.length} moved aside by --fresh</summary>${runTable(aside)}</details>` : ""}
<p class="buttons"><button type="submit">Compare the chosen runs</button> <button type="submit" formaction="/differences">Their configurations and curves</button></p></form>`;
  const scripts = html`<script ${raw(NONCE)}>${raw(listScript)}</script>`;
  return page("Runs", lead, [{ id: "list", title: "All runs", body }], { foot, scripts, broad: true });
}

const HEADS = ["run", "kind", ...FACETS, "started (UTC)", "state", "accuracy (95 % by question)"];

const runTable = (runs: readonly FoundRun[], id = ""): Html =>
  html`<div class="scroll"><table class="cards runs"${raw(id && ` id="${id}"`)}><thead><tr>${HEADS.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>
${runs.map((run) => {
  const best = Math.max(0, ...run.accuracies.map(({ accuracy }) => accuracy));
  const cells: (readonly [Html | string, (string | number)?])[] = [
    [
      html`<a href="/run/${encodeURIComponent(run.folder)}">${run.folder}</a>${run.sample ? html` <span class="soft">(sample)</span>` : ""}`,
      run.folder,
    ],
    [run.kind],
    ...FACETS.map((name) => [run.facets[name]] as const),
    [run.started.replace("T", " ").slice(0, 16)],
    [stateOf(run)],
    [answersOf(run), best],
  ];
  return html`<tr>${cells.map(([cell, value], at) => html`<td data-head="${HEADS[at]}" data-value="${value ?? (typeof cell === "string" ? cell : cell.text.replaceAll(/<[^<>]*>/g, ""))}">${cell}</td>`)}</tr>`;
})}
</tbody></table></div>`;

const stateOf = (run: FoundRun): Html | string =>
  run.fault !== undefined
    ? html`<span class="unreadable">cannot be read</span>`
    : run.complete
      ? html`<span class="right">complete</span>`
      : lockHolder(run.path) === undefined
        ? "not complete"
        : html`<b>running</b>`;

function answersOf(run: FoundRun): Html | string {
  if (run.fault !== undefined) return run.fault;
  if (run.accuracies.length) return html`<div>${run.accuracies.map((one) => answersCell(run, one))}</div>`;
  return html`<label class="choice"><input type="checkbox" name="run" value="${run.folder}" aria-label="choose ${run.folder}"> –</label>`;
}

/** A stage's accuracy, and the box that puts it into a comparison. */
function answersCell(run: FoundRun, { stage, accuracy, n, interval }: FoundRun["accuracies"][number]): Html {
  const several = run.accuracies.length > 1;
  const box = run.complete
    ? html`<input type="checkbox" name="run" value="${several ? `${run.folder}:${stage}` : run.folder}" aria-label="compare ${run.folder}${several ? ` ${titleOfStage(stage)}` : ""}"> `
    : "";
  return html`<label class="choice">${box}${several ? html`<span>${titleOfStage(stage)}</span> ` : ""}<b>${percent(accuracy)}</b> <span class="soft">${interval ? `${range(interval)}, ` : ""}${n.toLocaleString("en")} rows</span></label>`;
}
