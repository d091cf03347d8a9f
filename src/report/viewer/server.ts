import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { resolve } from "node:path";
import { messageOf, UserError } from "../../base/errors.js";
import { whyForeign } from "../../base/local-requests.js";
import { readText } from "../../base/text.js";
import { compareRuns } from "../../evaluate/index.js";
import { alignResults, importerOf, keysApartInWords, loadResults, withoutKeysApart } from "../../exchange/index.js";
import { runFile } from "../../record/index.js";
import { type Html, html, raw } from "../html.js";
import {
  boardEntries,
  boardFormats,
  boardOf,
  boardQuery,
  CachedAnswers,
  leaderboardPage,
  writeLeaderboard,
} from "../leaderboard/index.js";
import { BRAND, NONCE, page, type Section } from "../page.js";
import type { PromptOf, QuestionsOf } from "./exchange.js";
import { listPage } from "./list-page.js";
import { liveBody } from "./live.js";
import { type PageParts, rowPage, rowsPage } from "./row-routes.js";
import { RowsOfRuns } from "./rows.js";
import { rowsAt } from "./rows-page.js";
import { askedApart, type FoundRun, findRuns } from "./runs.js";

export interface Viewer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the runs of a folder: a list, a run, a comparison, and a run that is still going.
 * @param options.port 0 takes any that is free
 * @param options.promptOf writes the prompts that runs do not keep; without it rows are shown without theirs
 * @param options.questionsOf reads the questions that runs do not keep; without it they are neither listed nor searched
 * @throws {UserError} where the port is taken
 */
export async function serveRuns(
  outputs: string,
  options: { port?: number; host?: string; promptOf?: PromptOf; questionsOf?: QuestionsOf } = {},
): Promise<Viewer> {
  const { port = 4321, host = "127.0.0.1", promptOf, questionsOf } = options;
  const served: Served = { outputs, answers: new CachedAnswers(), rows: new RowsOfRuns(questionsOf), host, promptOf };
  const server = createServer((request, response) => void answer(served, request, response));
  await listen(server, port, host);
  const address = server.address();
  const actual = typeof address === "object" && address ? address.port : port;
  return {
    url: `http://${host}:${actual}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE")
        reject(
          new UserError(`port ${port} on ${host} is taken`, {
            hint: "Choose another with --port, or --port 0 for any that is free.",
          }),
        );
      else
        reject(
          new UserError(`cannot listen on ${host}:${port}: ${messageOf(error)}`, {
            hint: "Choose another address with --host, or another port with --port.",
            cause: error,
          }),
        );
    });
    server.listen(port, host, resolve);
  });
}

/** What pages made here may do: run the scripts that carry this answer's nonce, and ask this server. */
const ownPolicy = (nonce: string): string =>
  `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'unsafe-inline'; img-src data:; connect-src ` +
  `'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/**
 * What a report's file may do, whoever wrote it: run its own scripts, apart from this server's pages and without a
 * network.
 */
const REPORT_POLICY =
  "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline'; style-src " +
  "'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What is served, and what of it is kept in memory. */
interface Served {
  readonly outputs: string;
  readonly answers: CachedAnswers;
  readonly rows: RowsOfRuns;
  readonly host: string;
  readonly promptOf?: PromptOf;
}

async function answer(
  { outputs, answers, rows, host, promptOf }: Served,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const nonce = randomBytes(16).toString("base64");
  const send = (
    status: number,
    body: string,
    { type = "text/html; charset=utf-8", policy = ownPolicy(nonce), headers = {} } = {},
  ): void => {
    const content = body.replaceAll(NONCE, `nonce="${nonce}"`);
    response.writeHead(status, {
      "content-type": type,
      "content-length": Buffer.byteLength(content),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "content-security-policy": policy,
      ...headers,
    });
    response.end(request.method === "HEAD" ? undefined : content);
  };
  try {
    const foreign = whyForeign(request.headers, { host });
    if (foreign) return send(403, `${foreign}\n`, { type: "text/plain; charset=utf-8" });
    if (request.method !== "GET" && request.method !== "HEAD")
      return send(405, "runs are looked at here, not changed: GET and HEAD only\n", {
        type: "text/plain; charset=utf-8",
        headers: { allow: "GET, HEAD" },
      });
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const runs = await findRuns(outputs);
    if (url.pathname === "/") return send(200, listPage(resolve(outputs), runs, FOOT));
    if (url.pathname === "/leaderboard" || url.pathname.startsWith("/leaderboard/")) {
      const [body, type] = await leaderboardAt(outputs, answers, url);
      return send(body === undefined ? 404 : 200, body ?? errorPage("There is no such format", ""), { type });
    }
    if (url.pathname === "/differences") return send(200, await differencesPage(runs, url.searchParams.getAll("run")));
    if (url.pathname === "/compare") return send(200, await comparePage(runs, url.searchParams.getAll("run")));
    const [, kind, name, rest] = /^\/(run|live)\/([^/]+)(?:\/(.*))?$/.exec(url.pathname) ?? [];
    const run = runs.find((one) => encodeURIComponent(one.folder) === name || one.folder === name);
    if (!kind || !run) return send(404, errorPage("There is no such page", "The list shows the runs there are."));
    if (run.fault !== undefined) return send(400, errorPage(`${run.folder} cannot be read`, run.fault));
    // 205: the run has come to its end, its report is there now.
    if (rest === "rows") return send(200, ownPage(await rowsPage(run, runs, rows, url.searchParams), run));
    if (rest === "row") return send(200, ownPage(await rowPage(run, runs, rows, promptOf, url.searchParams), run));
    if (kind === "live") return run.complete ? send(205, "") : send(200, (await liveBody(run.path)).text);
    if (run.imported) return send(200, await importedPage(run), { policy: REPORT_POLICY });
    if (rest === "files/metrics.json")
      return send(200, await textOf(run, "metrics.json"), { type: "application/json" });
    if (!run.complete) return send(200, await livePage(run));
    return send(200, withWays(await textOf(run, "report.html"), run), { policy: REPORT_POLICY });
  } catch (error) {
    if (error instanceof UserError) return send(400, errorPage(error.message, error.hint ?? ""));
    return send(500, errorPage("This page failed", messageOf(error)));
  }
}

async function textOf(run: FoundRun, name: string): Promise<string> {
  const file = runFile(run.path, name);
  if (file === undefined)
    throw new UserError(`${run.path} has no ${name}`, {
      hint: "The run's folder is not whole: run the experiment again.",
    });
  return readText(file);
}

const FOOT = "Served by mmmlu view on this machine alone.";

/** Puts ways into the place of the name at a page's top: by a function, since "$&" in a text means something. */
const withWaysTo = (text: string, ...more: Html[]): string =>
  text.replace(BRAND, () => html`<a class="brand" href="/">← All runs</a>${more}`.toString());

/** The name at the page's top leads back to the list. */
const withWayBack = (text: string): string => withWaysTo(text);

/** As {@link withWayBack}, and the way to a run's rows: the page's script leads there from each of its own. */
const withWays = (text: string, { folder, accuracies }: FoundRun): string =>
  withWaysTo(
    text,
    ...(accuracies.length ? [html`<a class="brand" id="row-by-row" href="${rowsAt(folder, {})}">Row by row</a>`] : []),
  );

/** A page about a run: its report is one link away. */
const ownPage = ({ title, lead, sections }: PageParts, { folder }: FoundRun): string =>
  withWaysTo(
    page(title, lead, sections, { foot: FOOT }),
    html`<a class="brand" href="/run/${encodeURIComponent(folder)}">The run</a>`,
  );

const served = (title: string, lead: Html, sections: readonly Section[], scripts?: Html): string =>
  withWayBack(page(title, lead, sections, { scripts, foot: FOOT }));

/** The leaderboard as a page, or in the format that the address names. */
async function leaderboardAt(
  outputs: string,
  answers: CachedAnswers,
  { pathname, searchParams }: URL,
): Promise<[body?: string, type?: string]> {
  const query = boardQuery(searchParams);
  const entries = await boardEntries(outputs, { table: answers.table, read: answers.answersOf });
  if (pathname === "/leaderboard") return [withWayBack(leaderboardPage(outputs, entries, query, FOOT))];
  const format = boardFormats.find((name) => pathname === `/leaderboard/${name}`);
  if (!format) return [];
  const type = { json: "application/json", csv: "text/csv; charset=utf-8" } as const;
  return [
    writeLeaderboard(boardOf(entries, query), format, query),
    format in type ? type[format as keyof typeof type] : "text/plain; charset=utf-8",
  ];
}

/** A run of the list, and the stage of it, by what its box is called. */
function chosenRun(runs: readonly FoundRun[], name: string): { run: FoundRun; stage: string } {
  const colon = name.lastIndexOf(":");
  const run =
    runs.find((one) => one.folder === name) ?? runs.find((one) => colon > 0 && one.folder === name.slice(0, colon));
  if (!run) throw new UserError(`there is no run ${name}`, { hint: "Go back and choose from the list." });
  return { run, stage: run.folder === name ? "" : name.slice(colon) };
}

async function comparePage(runs: readonly FoundRun[], chosen: readonly string[]): Promise<string> {
  const picked = chosen.map((name) => chosenRun(runs, name));
  const [only] = picked;
  // A fine-tuning run alone: its answers before and after.
  if (picked.length === 1 && only?.run.accuracies.some((one) => one.stage === "baseline"))
    picked.unshift({ run: only.run, stage: ":baseline" });
  if (picked.length < 2)
    throw new UserError("choose two runs or more to compare", { hint: "Go back and tick them in the list." });
  const { comparisonReport } = await import("../comparison-report.js");

  const loaded = await loadResults(picked.map(({ run, stage }) => `${run.path}${stage}`));
  const aligned = alignResults(loaded);
  const compared = withoutKeysApart(aligned);
  const distinct = [...new Set(picked.map(({ run }) => run))];
  const further = distinct.length > 1 ? await differencesOf(distinct) : [];
  const apart = [...askedApart(compared), ...keysApartInWords(aligned.keysApart)];
  return withWayBack(comparisonReport(compareRuns(compared), apart, further).html);
}

async function differencesPage(runs: readonly FoundRun[], chosen: readonly string[]): Promise<string> {
  const picked = [...new Set(chosen.map((name) => chosenRun(runs, name).run))];
  if (picked.length < 2) throw new UserError("choose two runs or more", { hint: "Go back and tick them in the list." });
  const title = picked.map(({ folder }) => folder).join(", ");
  return served(title, html`<h1>${title}</h1>`, await differencesOf(picked));
}

const differencesOf = async (runs: readonly FoundRun[]): Promise<Section[]> =>
  (await import("./differences-page.js")).differenceSections(
    // Results of other tools have no configuration of ours.
    runs.filter(({ path }) => runFile(path, "run.json") !== undefined),
  );

/** A result of another tool. */
async function importedPage(run: FoundRun): Promise<string> {
  const { importedReport } = await import("../imported-report.js");
  const importer = importerOf(run.path);
  if (!importer) throw new UserError(`${run.path} is gone`, { hint: "Go back and load the list anew." });
  return withWays([...importedReport(await importer.read(run.path)).pieces].join(""), run);
}

async function livePage(run: FoundRun): Promise<string> {
  const script = `<script ${NONCE}>${followScript(`/live/${encodeURIComponent(run.folder)}`)}</script>`;
  return served(
    run.folder,
    html`<h1>${run.folder}</h1><p class="soft">${run.kind}, begun ${run.started.replace("T", " ").slice(0, 16)} UTC; this page follows it, and turns into its report when it is done. <a href="/run/${encodeURIComponent(run.folder)}/rows">Its answers, row by row</a>.</p>`,
    [
      {
        id: "live",
        title: "So far",
        body: html`<p id="live-state" class="notice" role="status" hidden></p><div id="live-body" aria-live="off">${await liveBody(run.path)}</div>`,
      },
    ],
    raw(script),
  );
}

/** Fetches the body anew; where nobody answers it is said, and the page is as it was once somebody does. */
const followScript = (address: string): string => `
let last = Date.now();
const state = document.getElementById("live-state");
setInterval(async () => {
  try {
    const reply = await fetch(${JSON.stringify(address)}, { signal: AbortSignal.timeout(10000) });
    if (reply.status === 205) return location.reload();
    if (!reply.ok) throw new Error();
    document.getElementById("live-body").innerHTML = await reply.text();
    last = Date.now();
    state.hidden = true;
  } catch {
    state.hidden = false;
    const seconds = Math.round((Date.now() - last) / 1000);
    state.textContent = "mmmlu view has not answered for " + seconds + " s: what stands here is as old. " +
      "The page goes on by itself once it does.";
  }
}, 2000);`;

const errorPage = (title: string, hint: string): string => served(title, html`<h1>${title}</h1><p>${hint}</p>`, []);
