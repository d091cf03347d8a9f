import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { mmmlu } from "../command.js";
import { counted, type FaultOptions, type Outcome, seeded, temporaryFolder } from "./common.js";

const CLIENTS = 200;
/** Growth of the server's memory under all of them. */
const MOST_MIB = 900;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

interface Ask {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

const ask = (base: string, { path, method = "GET", headers = {}, body, agent }: Ask): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(new URL(path, base), { method, headers, agent, timeout: 120_000 }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(pieces).toString("utf8"),
          headers: response.headers,
        }),
      );
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 120 s")));
    sent.on("error", reject);
    sent.end(body);
  });

/** A command that serves, in a process of its own. */
async function started(given: readonly string[]): Promise<{ url: string; child: ChildProcess; said: () => string }> {
  const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
  const child = spawn(process.execPath, [main, ...given], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said += piece.toString()));
  for (;;) {
    const url = /http:\/\/127\.0\.0\.1:\d+\/(v1\/)?/.exec(said)?.[0];
    if (url) return { url, child, said: () => said };
    if (child.exitCode !== null) throw new Error(said);
    await sleep(50);
  }
}

const memoryOf = (child: ChildProcess): number =>
  existsSync(`/proc/${child.pid}/status`)
    ? Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024
    : 0;

/** Connections that send a byte now and then, or nothing: opened, and left to the server. */
function slowClients(url: string, count: number): () => number {
  const { port, hostname } = new URL(url);
  let closed = 0;
  const sockets = Array.from({ length: count }, (_, index) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.on("close", () => closed++);
    const words =
      `POST /v1/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ` +
      `900\r\n\r\n{"model":`;
    let at = 0;
    if (index % 3 > 0) {
      const clock = setInterval(() => socket.write(words[at++ % words.length] as string), 500);
      socket.on("close", () => clearInterval(clock));
    }
    return socket;
  });
  return () => {
    for (const socket of sockets) socket.destroy();
    return closed;
  };
}

/**
 * Many clients at once for some time, each with what it likes; among them slow ones, pages of other sites, and bodies
 * that are none.
 * @param good what a well-meaning client asks, and whether the answer is right
 * @param bad what is asked, and the statuses that may come
 */
async function besieged(
  what: string,
  server: Awaited<ReturnType<typeof started>>,
  good: readonly { readonly ask: Ask; right(answer: Answer): boolean }[],
  bad: readonly { readonly name: string; readonly ask: Ask; readonly statuses: readonly number[] }[],
  options: FaultOptions,
): Promise<Outcome> {
  const random = seeded(options.seed);
  const faults: string[] = [];
  const counts = { good: 0, bad: 0, busy: 0 };
  const before = memoryOf(server.child);
  const stop = slowClients(server.url, 60);
  const until = Date.now() + 1000 * counted(60, options, 3);
  const client = async (number: number): Promise<void> => {
    // Half of them keep their connection.
    const agent = new Agent({ keepAlive: number % 2 === 0, maxSockets: 1 });
    while (Date.now() < until && faults.length < 50) {
      try {
        if (number % 4 === 3) {
          const one = random.of(bad);
          const { status, text } = await ask(server.url, { ...one.ask, agent });
          counts.bad++;
          if (!one.statuses.includes(status)) faults.push(`${one.name}: status ${status}: ${text.slice(0, 200)}`);
        } else {
          const one = random.of(good);
          const answer = await ask(server.url, { ...one.ask, agent });
          if (answer.status === 429 || answer.status === 503) {
            counts.busy++;
            await sleep(50 + random.below(200));
          } else if (one.right(answer)) counts.good++;
          else faults.push(`${one.ask.path}: status ${answer.status}: ${answer.text.slice(0, 200)}`);
        }
      } catch (error) {
        faults.push(`client ${number}: ${(error as Error).message}`);
      }
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  stop();
  const grown = memoryOf(server.child) - before;
  if (grown > MOST_MIB) faults.push(`its memory grew by ${grown.toFixed(0)} MiB`);
  const last = await ask(server.url, good[0]!.ask).catch((error: unknown) => error as Error);
  if (last instanceof Error || !good[0]!.right(last)) faults.push("afterwards it does not answer");
  server.child.kill("SIGINT");
  const code = await new Promise((resolve) => server.child.on("close", resolve));
  if (code !== 0) faults.push(`it ended with ${code}: ${server.said().slice(-300)}`);
  const total = counts.good + counts.bad + counts.busy;
  if (counts.good === 0) faults.push("nobody got an answer");
  return {
    part: "serving",
    what: `requests of ${CLIENTS} clients at once to ${what}, beside 60 slow ones`,
    count: total,
    faults,
    seen:
      `${counts.good.toLocaleString("en")} answered, ${counts.busy.toLocaleString("en")} told to wait, ` +
      `${counts.bad.toLocaleString("en")} refused as they should be; memory grew by ${Math.round(grown)} MiB`,
  };
}

const json = { "content-type": "application/json" };
/** What pages of other sites send. */
const foreign = (path: string, method = "GET", more = {}) => [
  { name: "a rebound name", ask: { path, method, headers: { ...more, host: "evil.example" } }, statuses: [403, 421] },
  {
    name: "another site's page",
    ask: { path, method, headers: { ...more, origin: "http://evil.example" } },
    statuses: [403],
  },
  {
    name: "a cross-site load",
    ask: { path, method, headers: { ...more, "sec-fetch-site": "cross-site" } },
    statuses: [403],
  },
];

/** `serve` and `view` under siege. */
export async function ourServers(options: FaultOptions): Promise<Outcome[]> {
  const folder = temporaryFolder("serving");
  try {
    const run = join(folder, "outputs", "run");
    const made = await mmmlu([
      ...["run", "gemma-2-2b-finetune", "--sample", "--out", run],
      ...["training.epochs=1", "data.rowsPerLanguage=20"].flatMap((one) => ["--set", one]),
    ]);
    if (made.code !== 0) throw new Error(made.error);
    cpSync(run, join(folder, "outputs", "b"), { recursive: true });
    const viewer = await started(["view", join(folder, "outputs"), "--port", "0"]);
    const page = (path: string, word: RegExp) => ({
      ask: { path },
      right: ({ status, text, headers }: Answer) =>
        status === 200 && word.test(text) && "content-security-policy" in headers,
    });
    const viewed = await besieged(
      "the viewer",
      viewer,
      [page("/", /<\/html>/), page("/run/run", /<\/html>/), page("/run/run/files/metrics.json", /"accuracy"/)],
      [
        ...foreign("/"),
        { name: "POST", ask: { path: "/", method: "POST", body: "x" }, statuses: [405] },
        { name: "DELETE", ask: { path: "/run/run", method: "DELETE" }, statuses: [405] },
        { name: "a way out", ask: { path: "/run/..%2f..%2fetc/files/passwd" }, statuses: [404] },
        { name: "no such page", ask: { path: "/%00/%zz" }, statuses: [400, 404] },
        { name: "a comparison of nothing", ask: { path: "/compare?run=nothing&run=run" }, statuses: [400, 404] },
      ],
      options,
    );
    const model = join(run, "base");
    const server = await started(["serve", model, "--port", "0"]);
    const body = (fields: object): string => JSON.stringify({ model, max_tokens: 2, temperature: 0, ...fields });
    const complete = (fields: object) => ({
      ask: { path: "completions", method: "POST", headers: json, body: body(fields) },
      right: ({ status, text }: Answer) =>
        status === 200 && (JSON.parse(text) as { choices: unknown[] }).choices.length === 1,
    });
    const post = (name: string, text: string | Buffer, statuses: number[], headers: Record<string, string> = json) => ({
      name,
      ask: { path: "completions", method: "POST", headers, body: text },
      statuses,
    });
    const busy = [429, 503];
    const served = await besieged(
      "the model server",
      server,
      [
        complete({ prompt: "cat dog" }),
        complete({ prompt: "stone" }),
        { ask: { path: "models" }, right: ({ status }) => status === 200 },
      ],
      [
        ...foreign("completions", "POST", json),
        post("a form", "a=b", [415, ...busy], { "content-type": "text/plain" }),
        post("no JSON", "{", [400, ...busy]),
        post("null", "null", [400, ...busy]),
        post("deep", `${"[".repeat(50_000)}`, [400, ...busy]),
        post("no UTF-8", Buffer.from([0x22, 0xff, 0x22]), [400, ...busy]),
        post("a large prompt", body({ prompt: "cat ".repeat(60_000) }), [400, 413, ...busy]),
        post("no such model", JSON.stringify({ model: "x", prompt: "y" }), [404, 400, ...busy]),
        post("too many tokens", body({ prompt: "x", max_tokens: 1e12 }), [400, ...busy]),
        { name: "no such route", ask: { path: "nothing" }, statuses: [404] },
      ],
      options,
    );
    return [viewed, served];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
