import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../../base/errors.js";
import type { FromSender, SenderStart, ToSender } from "./messages.js";
import { jsonOf } from "./records.js";

/*
 * Runs in a thread of its own: a training step blocks the main thread for seconds, and requests would time out.
 * The routes are those of the public client: GraphQL's UpsertBucket makes the run, its file stream takes the lines.
 */

const start = workerData as SenderStart;
const tell = (message: FromSender): void => parentPort?.postMessage(message);
const files = ["wandb-history.jsonl", "wandb-events.jsonl", "output.log"] as const;
type FileName = (typeof files)[number];
const pending: Record<FileName, string[]> = { "wandb-history.jsonl": [], "wandb-events.jsonl": [], "output.log": [] };
const offsets: Record<FileName, number> = { "wandb-history.jsonl": 0, "wandb-events.jsonl": 0, "output.log": 0 };
let summary: Record<string, unknown> = {};
let summaryChanged = false;
let finish: { exitCode: number } | undefined;
let wake: (() => void) | undefined;

/** What cannot succeed however often it is tried. */
class Refused extends Error {}

parentPort?.on("message", (message: ToSender) => {
  if (message.type === "history") pending["wandb-history.jsonl"].push(message.line);
  else if (message.type === "events") pending["wandb-events.jsonl"].push(message.line);
  else if (message.type === "output") pending["output.log"].push(message.line);
  else if (message.type === "summary") {
    summary = { ...summary, ...message.values };
    summaryChanged = true;
  } else {
    finish = message;
    wake?.();
  }
});

async function main(): Promise<void> {
  try {
    const { entity, project } = await patiently(createRun);
    tell({
      type: "started",
      entity,
      project,
      url: `${start.baseUrl.replace("://api.", "://")}/${entity}/${project}/runs/${start.run.id}`,
    });
    const stream = `${start.baseUrl}/files/${encodeURIComponent(entity)}/${encodeURIComponent(project)}/${start.run.id}/file_stream`;
    for (;;) {
      if (!finish) await pause(start.intervalSeconds);
      const ending = finish;
      // A reply is awaited before more is taken, so that lines arrive in order and none twice.
      while (files.some((name) => pending[name].length) || summaryChanged) await sendBatch(stream);
      if (ending) {
        await patiently(() => post(stream, { complete: true, exitcode: ending.exitCode }));
        break;
      }
      await patiently(() => post(stream, { files: {} }));
    }
    tell({ type: "finished" });
  } catch (error) {
    tell({ type: "failed", why: messageOf(error) });
  }
  // Not close(): Deno's port has none.
  parentPort?.unref();
}

async function createRun(): Promise<{ entity: string; project: string }> {
  const { run } = start;
  const query = `mutation UpsertBucket($name: String, $project: String, $entity: String, $groupName: String, $displayName: String, $notes: String, $config: JSONString, $host: String, $jobType: String, $tags: [String!]) {
  upsertBucket(input: {name: $name, modelName: $project, entityName: $entity, groupName: $groupName, displayName: $displayName, notes: $notes, config: $config, host: $host, jobType: $jobType, tags: $tags}) {
    bucket { id name displayName project { name entity { name } } }
    inserted
  }
}`;
  const config = Object.fromEntries(
    Object.entries(start.configuration).map(([key, value]) => [key, { desc: null, value }]),
  );
  const variables = {
    name: run.id,
    project: run.project,
    entity: run.entity ?? null,
    groupName: run.group ?? null,
    displayName: run.displayName,
    notes: run.notes ?? null,
    config: JSON.stringify(config),
    host: run.host,
    jobType: run.jobType,
    tags: run.tags,
  };
  const reply = (await post(`${start.baseUrl}/graphql`, { query, variables, operationName: "UpsertBucket" })) as {
    data?: { upsertBucket?: { bucket?: { project?: { name: string; entity?: { name: string } } } } };
    errors?: { message: string }[];
  };
  if (reply.errors?.length) throw new Refused(reply.errors.map((error) => error.message).join("; "));
  const project = reply.data?.upsertBucket?.bucket?.project;
  if (!project?.entity) throw new Refused("the server's reply to UpsertBucket names no project");
  return { entity: project.entity.name, project: project.name };
}

const BATCH_LINES = 2000;
const BATCH_BYTES = 8e6;

async function sendBatch(stream: string): Promise<void> {
  const taken = Object.fromEntries(files.map((name) => [name, head(pending[name])])) as Record<FileName, string[]>;
  const body: Record<string, { offset: number; content: string[] }> = {};
  for (const name of files) if (taken[name].length) body[name] = { offset: offsets[name], content: taken[name] };
  const sentSummary = summaryChanged;
  if (sentSummary)
    body["wandb-summary.json"] = {
      offset: 0,
      content: [
        `{${Object.entries(summary)
          .map(([key, value]) => `${JSON.stringify(key)}:${jsonOf(value)}`)
          .join(",")}}`,
      ],
    };
  summaryChanged = false;
  const reply = (await patiently(() => post(stream, { files: body }))) as { stopped?: boolean };
  for (const name of files) {
    pending[name].splice(0, taken[name].length);
    offsets[name] += taken[name].length;
  }
  if (reply.stopped) tell({ type: "stopped" });
}

function head(lines: readonly string[]): string[] {
  const taken: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    bytes += line.length;
    if (taken.length > 0 && (bytes > BATCH_BYTES || taken.length >= BATCH_LINES)) break;
    taken.push(line);
  }
  return taken;
}

/** Tries again while trouble may pass, with growing pauses, until patience ends. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const until = Date.now() + start.patienceSeconds * 1000;
  for (let wait = 0.5; ; wait = Math.min(30, wait * 2)) {
    try {
      return await attempt();
    } catch (error) {
      const seconds = error instanceof Later && error.seconds !== undefined ? error.seconds : wait;
      if (error instanceof Refused || Date.now() + seconds * 1000 > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}

/** What may succeed later. */
class Later extends Error {
  constructor(
    message: string,
    readonly seconds?: number,
  ) {
    super(message);
  }
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Basic ${Buffer.from(`api:${start.apiKey}`).toString("base64")}`,
      "user-agent": "mmmlu-lab",
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(start.timeoutSeconds * 1000),
  });
  const text = await response.text();
  const where = `${new URL(url).host} answered ${response.status}`;
  if (response.status === 401 || response.status === 403)
    throw new Refused(`${where}: check WANDB_API_KEY and WANDB_ENTITY`);
  if (response.status === 429 || response.status >= 500) {
    const after = Number(response.headers.get("retry-after"));
    throw new Later(where, after > 0 && after <= 120 ? after : undefined);
  }
  if (!response.ok) throw new Refused(`${where}: ${text.slice(0, 200)}`);
  try {
    return JSON.parse(text || "{}");
  } catch {
    throw new Later(`${where} with something that is not JSON`);
  }
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

void main();
