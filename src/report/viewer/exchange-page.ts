import { type KeptExchange, type LoggedReply, whyInWords } from "../../evaluate/index.js";
import { languageTag, letterUnder, mmmlu, OPTION_LETTERS, ownLetter } from "../../tasks/index.js";
import { percent } from "../figures/figure.js";
import { type Html, html } from "../html.js";
import type { Section } from "../page.js";
import { table, tiles } from "../parts.js";
import { titleOfStage } from "../stages.js";
import type { WrittenPrompt } from "./exchange.js";
import { type ListedRow, outcomeOf } from "./listed-row.js";
import type { RowQuery } from "./rows.js";
import { rowAt, rowsAt } from "./rows-page.js";

/** One asking of a row with all that came of it. */
export interface ShownAsking {
  readonly row: ListedRow | undefined;
  readonly reply: Pick<
    LoggedReply,
    "text" | "reasoning" | "finish" | "tokens" | "logProbabilities" | "order" | "repeat"
  > & {
    readonly milliseconds?: number;
    readonly stage: string;
    readonly ids: readonly string[];
  };
  /** The prompt; or why there is none. */
  readonly prompt: WrittenPrompt | { readonly text: string } | { readonly missing: string };
  /** Whether a later reply to the same asking counts in its place. */
  readonly replaced: boolean;
}

export interface ShownExchange {
  readonly folder: string;
  readonly id: string;
  readonly language: string;
  readonly question?: { readonly question?: string; readonly choices?: readonly string[] };
  readonly askings: readonly ShownAsking[];
  readonly retries: KeptExchange["retries"];
}

/** Characters of a text that a page shows: a reply may have many megabytes. */
const SHOWN = 200_000;

/** A text as it was said: line breaks and blanks kept. */
const said = (text: string): Html =>
  html`<pre class="said" dir="auto" tabindex="0">${text === "" ? html`<span class="soft">(empty)</span>` : text.slice(0, SHOWN)}</pre>${text.length > SHOWN ? html`<p class="soft">These are the first ${SHOWN.toLocaleString("en")} of ${text.length.toLocaleString("en")} characters; the run's files have all.</p>` : ""}`;

/** The way to the rows before and behind, in the list that one came from. */
export function neighbours(
  folder: string,
  list: readonly ListedRow[],
  query: RowQuery,
  { id, of }: { readonly id: string; readonly of: string },
): Html {
  const at = list.findIndex((row) => row.id === id && row.stage === of);
  const link = (name: string, row: ListedRow | undefined): Html | string =>
    row ? html`<li><a href="${rowAt(folder, row.id, row.stage, query)}">${name}</a></li>` : "";
  const place = `${(at + 1).toLocaleString("en")} of ${list.length.toLocaleString("en")}`;
  return html`<nav aria-label="Rows"><ul>${at < 0 ? "" : html`${link("← Previous", list[at - 1])}<li class="place">${place}</li>${link("Next →", list[at + 1])}`}<li><a href="${rowsAt(folder, query)}">All rows</a></li></ul></nav>`;
}

/** All that is kept of a row, asking by asking. */
export function exchangeSections(shown: ShownExchange): Section[] {
  const { askings, retries, question, language, id } = shown;
  const first = askings.find(({ row }) => row)?.row;
  return [
    ...(question?.question === undefined ? [] : [questionSection(question, language, first)]),
    ...askings.map((asking, index) => askingSection(asking, index, shown)),
    ...(retries.length
      ? [
          {
            id: "retries",
            title: "Attempts that failed and were made again",
            body: table(
              ["at (UTC)", "attempt", "why", "waited", "asked with it"],
              retries.map(({ at, attempt, reason, waitMilliseconds, ids }) => [
                at.replace("T", " ").slice(0, 19),
                attempt,
                reason,
                `${(waitMilliseconds / 1000).toFixed(1)} s`,
                ids.length > 1 ? `${ids.length - 1} other rows` : "–",
              ]),
            ),
          },
        ]
      : []),
    ...(askings.length ? [] : [{ id: "none", title: "No reply", body: html`<p>No reply to ${id} is kept yet.</p>` }]),
  ];
}

/** The question in the row's own order of options, with the true and the predicted one marked. */
function questionSection(
  { question = "", choices = [] }: NonNullable<ShownExchange["question"]>,
  language: string,
  row: ListedRow | undefined,
): Section {
  const marks = (letter: string | undefined): Html =>
    html`${letter === row?.answer ? html` <b class="right">true</b>` : ""}${letter === row?.prediction ? html` <b class="${row && outcomeOf(row) === "right" ? "right" : "wrong"}">predicted</b>` : ""}`;
  return {
    id: "question",
    title: "Question",
    body: html`<div lang="${languageTag(language)}" dir="auto"><p class="said">${question}</p><ol class="options">${choices.map((choice, index) => html`<li dir="auto"><span>${choice}</span>${marks(OPTION_LETTERS[index])}</li>`)}</ol></div>`,
  };
}

function askingSection({ row, reply, prompt, replaced }: ShownAsking, index: number, shown: ShownExchange): Section {
  const { order = 0, repeat = 0, tokens, milliseconds, finish, ids } = reply;
  const how = [
    titleOfStage(reply.stage.split(".")[0]!),
    ...(order ? [`options turned round by ${order}`] : []),
    ...(repeat ? [`repeat ${repeat}`] : []),
    ...(replaced ? ["a later reply counts in its place"] : []),
  ];
  const outcome = row && !replaced ? outcomeOf(row) : undefined;
  const place = ids.indexOf(shown.id);
  const options = ("rows" in prompt ? prompt.rows[place]?.choices.length : undefined) ?? mmmlu.letters.length;
  return {
    id: `asking-${index + 1}`,
    title: `Asked ${how.join(", ")}`,
    body: html`${tiles([
      ...(row && outcome
        ? [
            {
              name: "Read as",
              value: row.prediction ?? "unreadable",
              under: [
                `${outcome}, true is ${row.answer}`,
                ...(order && row.prediction !== null
                  ? [`it was shown as ${letterUnder(row.prediction, order, options)}`]
                  : []),
                ...(row.unreadable ? [whyInWords[row.unreadable]] : []),
              ],
            },
          ]
        : []),
      ...(finish === undefined
        ? []
        : [{ name: "Ended because of", value: finish, under: row?.cut ? "cut at the limit" : [] }]),
      ...(tokens
        ? [
            {
              name: "Tokens",
              value: `${tokens.prompt.toLocaleString("en")} + ${tokens.completion.toLocaleString("en")}`,
              under: "read and written, as the server counts",
            },
          ]
        : []),
      ...(milliseconds
        ? [{ name: "Time", value: `${(milliseconds / 1000).toFixed(2)} s`, under: "of the request, with its attempts" }]
        : []),
    ])}
${ids.length > 1 ? html`<p>One request of ${ids.length} questions; this is number ${place + 1}: ${ids.map((id, at) => html`${at ? ", " : ""}${id === shown.id ? html`<b>${id}</b>` : html`<a href="${rowAt(shown.folder, id, reply.stage)}">${id}</a>`}`)}.</p>` : ""}
<h3>Prompt</h3>${promptPart(prompt)}
${reply.reasoning ? html`<h3>Reasoning</h3>${said(reply.reasoning)}` : ""}
<h3>Reply</h3>${said(reply.text)}
${reply.logProbabilities ? html`<h3>Probabilities of the letters</h3>${probabilityTable(reply.logProbabilities, order, prompt)}` : ""}`,
  };
}

function promptPart(prompt: ShownAsking["prompt"]): Html {
  if ("missing" in prompt) return html`<p class="notice" role="note">${prompt.missing}</p>`;
  if ("text" in prompt) return said(prompt.text);
  const { asSent, maximumTokens, measured } = prompt;
  return html`${
    typeof prompt.prompt === "string"
      ? said(prompt.prompt)
      : prompt.prompt.map(({ role, content }) => html`<p class="role">${role}</p>${said(content)}`)
  }<p class="soft">${measured ? `No text was asked for: the probabilities of ${measured.map((one) => JSON.stringify(one)).join(", ")} behind it were measured.` : `At most ${maximumTokens.toLocaleString("en")} new tokens.`} ${
    asSent === true
      ? html`<span class="right">This is the prompt that was sent:</span> its hash is the kept one.`
      : asSent === false
        ? html`<span class="wrong">This is not the prompt that was sent</span>: it is written anew from the run's configuration and the data as they are now, and its hash is another than the kept one.`
        : html`Written anew from the run's configuration and its data; whether it is what was sent, only an evaluation that is finished can tell.`
  }</p>`;
}

/** Each letter as it was shown, its own letter where the options were turned, and its share among the letters. */
function probabilityTable(values: readonly number[], order: number, prompt: ShownAsking["prompt"]): Html {
  const choices = "rows" in prompt && prompt.rows.length === 1 ? prompt.rows[0]!.choices : [];
  const shares = values.map((value) => Math.exp(value));
  const sum = shares.reduce((total, share) => total + share, 0);
  return html`${table(
    [
      "letter",
      ...(order ? ["the row's own letter"] : []),
      ...(choices.length ? ["option"] : []),
      "log-probability",
      "among the letters",
      "",
    ],
    values.map((value, at) => {
      const share = sum > 0 ? shares[at]! / sum : 0;
      return [
        OPTION_LETTERS[at]!,
        ...(order ? [ownLetter(OPTION_LETTERS[at]!, order, values.length)] : []),
        ...(choices.length ? [html`<span dir="auto">${choices[at] ?? ""}</span>`] : []),
        Number.isFinite(value) ? value.toFixed(3) : "−∞",
        percent(share),
        html`<span class="share" aria-hidden="true"><span style="width:${(100 * share).toFixed(1)}%"></span></span>`,
      ];
    }),
  )}<p class="soft">The letters together have ${sum < 1e-4 ? sum.toExponential(1) : percent(Math.min(1, sum))} of all probability.</p>`;
}
