import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { wordsOf, wordsOfBody } from "../../../base/error-words.js";
import { messageOf } from "../../../base/errors.js";
import { HttpClient } from "../../../base/http.js";
import { HttpFailure, isForGood } from "../../../base/http-failure.js";
import { serverWait, withRetries } from "../../../base/retry.js";
import type { FromSender, SenderStart, ToSender } from "./messages.js";
import { jsonOf } from "./records.js";

/*
 * Runs in a thread of its own: a training step blocks the main thread for seconds, and requests would time out.
 * The routes are those of the public client: GraphQL's UpsertBucket makes the run, its file stream takes the lines.
 */

const start = workerData as SenderStart;
const client = new HttpClient();
/** Bytes of a reply: the server's are of a few hundred. */
const LARGEST_REPLY = 1 << 20;
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
    const place = `${encodeURIComponent(entity)}/${encodeURIComponent(project)}/${start.run.id}`;
    const stream = `${start.baseUrl}/files/${place}/file_stream`;
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
  await client.close();
  // Not close(): Deno's port has none.
  parentPort?.unref();
}

const named = z.string().min(1).max(500);
const madeSchema = z.object({
  data: z.object({
    upsertBucket: z.object({
      bucket: z.object({ project: z.object({ name: named, entity: z.object({ name: named }) }) }),
    }),
  }),
});

async function createRun(): Promise<{ entity: string; project: string }> {
  const { run } = start;
  const query = `mutation UpsertBucket($name: String, $project: String, $entity: String, $groupName: String,
  $displayName: String, $notes: String, $config: JSONString, $host: String, $jobType: String, $tags: [String!]) {
  upsertBucket(input: {name: $name, modelName: $project, entityName: $entity, groupName: $groupName,
    displayName: $displayName, notes: $notes, config: $config, host: $host, jobType: $jobType, tags: $tags}) {
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
  const reply = await post(`${start.baseUrl}/graphql`, { query, variables, operationName: "UpsertBucket" });
  const errors = wordsOf((reply as { errors?: unknown } | null)?.errors);
  if (errors) throw new Refused(errors);
  const made = madeSchema.safeParse(reply);
  if (!made.success) throw new Refused("the server's reply to UpsertBucket names no project");
  const { project } = made.data.data.upsertBucket.bucket;
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
  const reply = await patiently(() => post(stream, { files: body }));
  for (const name of files) {
    pending[name].splice(0, taken[name].length);
    offsets[name] += taken[name].length;
  }
  if ((reply as { stopped?: unknown } | null)?.stopped === true) tell({ type: "stopped" });
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
const patiently = <T>(attempt: () => Promise<T>): Promise<T> =>
  withRetries(attempt, {
    retries: Infinity,
    patienceMilliseconds: start.patienceSeconds * 1000,
    longestWaitMilliseconds: 30_000,
    seed: start.run.id,
    exhausted: (error) => error,
    judge: (error) => {
      if (error instanceof Later)
        return { again: true, reason: error.message, serverWaitMilliseconds: error.waitMilliseconds };
      if (error instanceof HttpFailure && !isForGood(error)) return { again: true, reason: error.message };
      return { again: false, error };
    },
  });

/** What may succeed later. */
class Later extends Error {
  constructor(
    message: string,
    readonly waitMilliseconds?: number,
  ) {
    super(message);
  }
}

async function post(url: string, body: unknown): Promise<unknown> {
  const reply = await client.ask({
    method: "POST",
    url,
    headers: [
      "content-type",
      "application/json",
      "authorization",
      `Basic ${Buffer.from(`api:${start.apiKey}`).toString("base64")}`,
    ],
    body: JSON.stringify(body),
    timeoutMilliseconds: start.timeoutSeconds * 1000,
    maximumBytes: LARGEST_REPLY,
  });
  const where = `${new URL(url).host} answered ${reply.status}`;
  if (reply.status === 401 || reply.status === 403) throw new Refused(`${where}: check WANDB_API_KEY and WANDB_ENTITY`);
  if (reply.status === 408 || reply.status === 429 || reply.status >= 500)
    throw new Later(where, serverWait(reply.headers));
  if (reply.status >= 300) throw new Refused(`${where}: ${wordsOfBody(reply.body) ?? "nothing more"}`);
  try {
    return JSON.parse(reply.body.toString("utf8") || "{}");
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
