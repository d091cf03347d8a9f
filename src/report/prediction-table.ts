import type { Prediction } from "../evaluate/index.js";
import { OPTION_LETTERS, type Row } from "../tasks/index.js";
import { type Html, html, raw, scriptText, UNSEEN } from "./html.js";
import type { Section } from "./page.js";
import { titleOfStage } from "./stages.js";

/** Above so many rows the page holds no question texts, and above so many no further rows: browsers have limits. */
export const [ROWS_WITH_TEXT, ROWS_SHOWN] = [8000, 50_000];

/** Characters of a reply that the page holds. */
const SHOWN = 2000;

/** Stands in a page for its table's data, which are written behind it piece by piece and never are one text. */
const DATA = "\u{f0000}predictions\u{f0000}";

/** What the table of predictions shows. */
export interface ShownPredictions {
  /** Gone through when the page is written. */
  readonly predictions: Iterable<Prediction>;
  /** How many they are. */
  readonly count: number;
  /** The rows that were asked, whose texts are shown where they are few enough. */
  readonly rows?: readonly Pick<Row, "id" | "question" | "choices">[];
}

const withTexts = ({ rows = [] }: ShownPredictions): boolean => rows.length > 0 && rows.length <= ROWS_WITH_TEXT;

/** The table of predictions: searched and filtered in the page. */
export function predictionSection(shown: ShownPredictions): Section {
  const select = (name: string, label: string, options: readonly (readonly [string, string])[] = []): Html =>
    html`<label>${label}<select id="filter-${name}"><option value="">all</option>${options.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select></label>`;
  return {
    id: "predictions",
    title: "Predictions",
    body: html`<div class="filters" role="search" aria-label="Filter the predictions">
<label>Search<input type="search" id="filter-search" placeholder="text, reply or id"></label>
${select("language", "Language")}${select("subject", "Subject")}${select("stage", "Stage")}
${select("outcome", "Outcome", [
  ["right", "right"],
  ["wrong", "wrong"],
  ["unreadable", "unreadable"],
])}
</div>
${shown.count > ROWS_SHOWN ? html`<p class="notice" role="note">The page has the first ${ROWS_SHOWN.toLocaleString("en")} of ${shown.count.toLocaleString("en")} answers; <code>predictions.jsonl</code> has all.</p>` : ""}
<p id="predictions-count" class="soft" role="status" aria-live="polite"></p>
<p class="soft on-paper">Printed are the rows in view; predictions.jsonl, in the run's folder, holds all.</p>
<div class="viewport" id="predictions-view"><table role="grid" aria-label="Predictions" aria-readonly="true">
<colgroup><col style="width:34%"><col style="width:10%"><col style="width:7%"><col style="width:10%"><col style="width:14%"><col></colgroup>
<thead><tr aria-rowindex="1"><th scope="col">row</th><th scope="col">stage</th><th scope="col">true</th><th scope="col">predicted</th><th scope="col">outcome</th><th scope="col">reply</th></tr></thead><tbody></tbody></table></div>
<div id="detail" aria-live="polite"><span class="soft">Choose a row to read ${withTexts(shown) ? "its question and reply" : "its reply"}: click, or Tab into the table and use the arrow keys.</span></div>
<script type="application/json" id="predictions-data">${raw(DATA)}</script>`,
  };
}

/**
 * A page with its table's data, in pieces.
 * @param page with a {@link predictionSection} of the same predictions
 */
export function* withPredictions(page: string, shown: ShownPredictions): Generator<string> {
  const at = page.indexOf(DATA);
  yield page.slice(0, at);
  for (const piece of dataPieces(shown)) yield scriptText(piece);
  yield page.slice(at + DATA.length);
}

function* dataPieces(shown: ShownPredictions): Generator<string> {
  const columns = ["id", "language", "subject", "stage", "answer", "prediction", "reply"] as const;
  yield `{"columns":${JSON.stringify(columns)},"rows":[`;
  let count = 0;
  const stages = new Set<string>();
  for (const one of shown.predictions) {
    if (count === ROWS_SHOWN) break;
    stages.add(one.stage);
    const cells = columns.map((column) => (column === "reply" ? one.reply.slice(0, SHOWN) : one[column]));
    yield `${count++ > 0 ? "," : ""}${JSON.stringify(cells)}`;
  }
  yield `],"letters":${JSON.stringify(OPTION_LETTERS)},"texts":{`;
  if (withTexts(shown))
    for (const [index, { id, question, choices }] of (shown.rows ?? []).entries())
      yield `${index > 0 ? "," : ""}${JSON.stringify(id)}:${JSON.stringify([question, ...choices])}`;
  const titles = Object.fromEntries([...stages].map((stage) => [stage, titleOfStage(stage)]));
  yield `},"stageTitles":${JSON.stringify(titles)},"unseen":${JSON.stringify(UNSEEN)}}`;
}
