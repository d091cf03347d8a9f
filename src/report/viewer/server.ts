import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { messageOf, UserError } from "../../base/errors.js";
import { whyForeign } from "../../base/local-requests.js";
import { lockHolder } from "../../base/lock.js";
import { readText } from "../../base/text.js";
import { compareRuns } from "../../evaluate/index.js";
import { alignResults, importerOf, loadResults, withoutKeysApart } from "../../exchange/index.js";
import { runFile } from "../../record/index.js";
import { percent } from "../figures/figure.js";
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
import { range } from "../parts.js";
import { titleOfStage } from "../stages.js";
import { liveBody } from "./live.js";
import { askedApart, type FoundRun, findRuns } from "./runs.js";

export interface Viewer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the runs of a folder: a list, a run, a comparison, and a run that is still going.
 * @param options.port 0 takes any that is free
 * @throws {UserError} where the port is taken
 */
export async function serveRuns(outputs: string, options: { port?: number; host?: string } = {}): Promise<Viewer> {
  const { port = 4321, host = "127.0.0.1" } = options;
  const answers = new CachedAnswers();
  const server = createServer((request, response) => void answer(outputs, answers, host, request, response));
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

async function answer(
  outputs: string,
  answers: CachedAnswers,
  host: string,
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
    if (url.pathname === "/") return send(200, listPage(outputs, runs));
    if (url.pathname === "/leaderboard" || url.pathname.startsWith("/leaderboard/")) {
      const [body, type] = await leaderboardAt(outputs, answers, url);
      return send(body === undefined ? 404 : 200, body ?? errorPage("There is no such format", ""), { type });
    }
    if (url.pathname === "/compare") return send(200, await comparePage(runs, url.searchParams.getAll("run")));
    const [, kind, name, rest] = /^\/(run|live)\/([^/]+)(?:\/(.*))?$/.exec(url.pathname) ?? [];
    const run = runs.find((one) => encodeURIComponent(one.folder) === name || one.folder === name);
    if (!kind || !run) return send(404, errorPage("There is no such page", "The list shows the runs there are."));
    if (run.fault !== undefined) return send(400, errorPage(`${run.folder} cannot be read`, run.fault));
    // 205: the run has come to its end, its report is there now.
    if (kind === "live") return run.complete ? send(205, "") : send(200, (await liveBody(run.path)).text);
    if (run.imported) return send(200, await importedPage(run), { policy: REPORT_POLICY });
    if (rest === "files/metrics.json")
      return send(200, await textOf(run, "metrics.json"), { type: "application/json" });
    if (!run.complete) return send(200, await livePage(run));
    return send(200, withWayBack(await textOf(run, "report.html")), { policy: REPORT_POLICY });
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

/** The name at the page's top leads back to the list. */
const withWayBack = (text: string): string => text.replace(BRAND, `<a class="brand" href="/">← All runs</a>`);

const served = (title: string, lead: Html, sections: readonly Section[], scripts?: Html): string =>
  withWayBack(page(title, lead, sections, { scripts, foot: FOOT }));

function listPage(outputs: string, runs: readonly FoundRun[]): string {
  const lead = html`<h1>Runs</h1><p class="soft">${runs.length ? `${runs.length} in ${outputs}` : html`There are none in ${outputs} yet: <code>mmmlu run eda</code> makes one.`}</p><p><a href="/leaderboard">Leaderboard</a>: all answers by model and language.</p>`;
  if (runs.length === 0) return page("Runs", lead, [], { foot: FOOT });
  const body = html`<form action="/compare"><p class="soft">Open a run, or tick two answers or more and compare them.</p><div class="scroll"><table><thead><tr><th scope="col">run</th><th scope="col">kind</th><th scope="col">started (UTC)</th><th scope="col">state</th><th scope="col">accuracy (95 % by question)</th></tr></thead><tbody>
${runs.map((run) => html`<tr><td><a href="/run/${encodeURIComponent(run.folder)}">${run.folder}</a>${run.sample ? html` <span class="soft">(sample)</span>` : ""}</td><td>${run.kind}</td><td class="whole">${run.started.replace("T", " ").slice(0, 16)}</td><td class="whole">${stateOf(run)}</td><td>${run.fault ?? (run.accuracies.length ? run.accuracies.map((one) => answersCell(run, one)) : "–")}</td></tr>`)}
</tbody></table></div>${runs.some((run) => run.complete && run.accuracies.length) ? html`<p><button type="submit">Compare the chosen runs</button></p>` : ""}</form>`;
  return page("Runs", lead, [{ id: "list", title: "All runs", body }], { foot: FOOT });
}

const stateOf = (run: FoundRun): Html | string =>
  run.fault !== undefined
    ? html`<span class="unreadable">cannot be read</span>`
    : run.complete
      ? html`<span class="right">complete</span>`
      : lockHolder(run.path) === undefined
        ? "not complete"
        : html`<b>running</b>`;

/** A stage's accuracy, and the box that puts it into a comparison. */
function answersCell(run: FoundRun, { stage, accuracy, n, interval }: FoundRun["accuracies"][number]): Html {
  const several = run.accuracies.length > 1;
  const box = run.complete
    ? html`<input type="checkbox" name="run" value="${several ? `${run.folder}:${stage}` : run.folder}" aria-label="compare ${run.folder}${several ? ` ${titleOfStage(stage)}` : ""}"> `
    : "";
  return html`<label class="choice">${box}${several ? html`<span>${titleOfStage(stage)}</span> ` : ""}<b>${percent(accuracy)}</b> <span class="soft">${interval ? `${range(interval)}, ` : ""}${n.toLocaleString("en")} rows</span></label>`;
}

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

async function comparePage(runs: readonly FoundRun[], chosen: readonly string[]): Promise<string> {
  const picked = chosen.map((name) => {
    const colon = name.lastIndexOf(":");
    const run =
      runs.find((one) => one.folder === name) ?? runs.find((one) => colon > 0 && one.folder === name.slice(0, colon));
    if (!run) throw new UserError(`there is no run ${name}`, { hint: "Go back and choose from the list." });
    return run.folder === name ? run.path : `${run.path}${name.slice(colon)}`;
  });
  if (picked.length === 1) {
    const only = runs.find((run) => run.path === picked[0]);
    // A fine-tuning run alone: its answers before and after.
    if (only?.accuracies.some((one) => one.stage === "baseline")) picked.unshift(`${only.path}:baseline`);
  }
  if (picked.length < 2)
    throw new UserError("choose two runs or more to compare", { hint: "Go back and tick them in the list." });
  const { comparisonReport } = await import("../comparison-report.js");
  const compared = withoutKeysApart(alignResults(await loadResults(picked)));
  return withWayBack(comparisonReport(compareRuns(compared), askedApart(compared)).html);
}

/** A result of another tool. */
async function importedPage(run: FoundRun): Promise<string> {
  const { importedReport } = await import("../imported-report.js");
  const importer = importerOf(run.path);
  if (!importer) throw new UserError(`${run.path} is gone`, { hint: "Go back and load the list anew." });
  return withWayBack([...importedReport(await importer.read(run.path)).pieces].join(""));
}

async function livePage(run: FoundRun): Promise<string> {
  const script =
    `<script ${NONCE}>setInterval(async () => { try { const reply = await ` +
    `fetch("/live/${encodeURIComponent(run.folder)}"); if (reply.status === 205) location.reload(); else if ` +
    `(reply.ok) document.getElementById("live-body").innerHTML = await reply.text(); } catch {} }, 2000);</script>`;
  return served(
    run.folder,
    html`<h1>${run.folder}</h1><p class="soft">${run.kind}, begun ${run.started.replace("T", " ").slice(0, 16)} UTC; this page follows it, and turns into its report when it is done.</p>`,
    [
      {
        id: "live",
        title: "So far",
        body: html`<div id="live-body" aria-live="off">${await liveBody(run.path)}</div>`,
      },
    ],
    raw(script),
  );
}

const errorPage = (title: string, hint: string): string => served(title, html`<h1>${title}</h1><p>${hint}</p>`, []);
