import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { cpus, freemem, totalmem } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { messageOf } from "../../../base/errors.js";
import { VERSION } from "../../../base/versions.js";
import { startWorker } from "../../../base/worker.js";
import type { StartTracker } from "../kind.js";
import type { Logged, RunDescription, Tracker } from "../tracker.js";
import { LogFile } from "./log-file.js";
import type { FromSender, SenderStart, ToSender } from "./messages.js";
import { jsonOf, type RunIdentity, records } from "./records.js";
import { type WandbSettings, wandbSettings } from "./settings.js";

/** Times that tests shorten. */
export interface WandbTimes {
  readonly intervalSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly patienceSeconds?: number;
  /** How long `finish` waits for what is still to be sent. */
  readonly finishSeconds?: number;
  readonly systemSeconds?: number;
}

/** Weights & Biases, unless it is disabled. */
export const startWandb: StartTracker = (run, { wandb, environment, say }) => {
  const settings = wandbSettings(wandb, run, environment);
  return settings.mode === "disabled" ? undefined : wandbTracker(run, settings, say);
};

/**
 * Weights & Biases. Whatever the mode, every record goes into the transaction log under `wandb/` first, as the official
 * client's does: online sending is on top, and where it fails the folder is an offline run that `wandb sync` takes.
 */
export function wandbTracker(
  run: RunDescription,
  settings: WandbSettings,
  say: (line: string) => void,
  times: WandbTimes = {},
): Tracker {
  const started = new Date();
  const id = settings.runId ?? randomId();
  const identity: RunIdentity = {
    id,
    entity: settings.entity,
    project: settings.project,
    displayName: settings.displayName,
    group: settings.group,
    jobType: run.kind,
    tags: settings.tags,
    notes: settings.notes,
    host: settings.host,
    started,
  };
  const root = join(settings.folder, "wandb");
  let folder = join(root, `offline-run-${stamp(started)}-${id}`);
  const make = records(id);
  let file: LogFile | undefined;
  const write = (record: Uint8Array): void => {
    try {
      file?.append(record);
    } catch (error) {
      file = undefined;
      say(`W&B: cannot write ${folder}: ${messageOf(error)}; the run goes on without it`);
    }
  };
  try {
    mkdirSync(join(folder, "files"), { recursive: true });
    mkdirSync(join(folder, "logs"), { recursive: true });
    file = new LogFile(join(folder, `run-${id}.wandb`));
  } catch (error) {
    say(`W&B: cannot make ${folder}: ${messageOf(error)}; the run goes on without it`);
  }
  write(make.header(VERSION));
  write(make.run(identity, run.configuration));

  let sender: Worker | undefined;
  let finished: (() => void) | undefined;
  let online = settings.mode === "online";
  const giveUp = (why: string): void => {
    if (!online) return;
    online = false;
    sender = undefined;
    say(`W&B: ${why}; logging goes on offline into ${folder}. Send it later with: wandb sync ${folder}`);
    finished?.();
  };
  for (const complaint of settings.complaints) say(`W&B: ${complaint}`);
  if (online && !URL.canParse(settings.baseUrl)) giveUp("there is no server to send to");
  if (online && !settings.apiKey) giveUp("no API key (set WANDB_API_KEY, or run `wandb login`)");
  if (online) {
    const workerData: SenderStart = {
      baseUrl: settings.baseUrl,
      apiKey: settings.apiKey as string,
      run: identity,
      configuration: run.configuration,
      intervalSeconds: times.intervalSeconds ?? 15,
      timeoutSeconds: times.timeoutSeconds ?? 60,
      patienceSeconds: times.patienceSeconds ?? 300,
    };
    sender = startWorker(new URL("./sender.js", import.meta.url), workerData);
    sender.unref();
    sender.on("error", (error) => giveUp(messageOf(error)));
    sender.on("message", (message: FromSender) => {
      if (message.type === "started") say(`W&B: ${message.url}`);
      else if (message.type === "failed") giveUp(message.why);
      else if (message.type === "stopped") say("W&B: the run was asked to stop on the web page; it goes on");
      else finished?.();
    });
  }
  const send = (message: ToSender): void => sender?.postMessage(message);

  const seen = new Set<string>();
  let lastStep = -1;
  let summary: Record<string, unknown> = {};
  const seconds = (at: Date): number => (at.getTime() - started.getTime()) / 1000;
  const system = (): void => {
    const at = new Date();
    const values = systemMetrics();
    write(make.statistics(values, at));
    send({
      type: "events",
      line: jsonLine({ ...values, _runtime: seconds(at), _timestamp: at.getTime() / 1000, _wandb: true }),
    });
  };
  const timer = setInterval(system, (times.systemSeconds ?? 15) * 1000);
  timer.unref();

  return {
    name: "W&B",
    log(values, step) {
      const at = new Date();
      for (const key of Object.keys(values)) {
        if (seen.has(key)) continue;
        seen.add(key);
        write(make.metric(key, key !== GLOBAL_STEP && GLOBAL_STEP in values ? GLOBAL_STEP : "_step"));
      }
      // Two lines of one _step would be taken for one: the second gets the next. Curves are drawn against the step of
      // training.
      lastStep = Math.max(step, lastStep + 1);
      const line = { ...values, _step: lastStep, _timestamp: at.getTime() / 1000, _runtime: seconds(at) };
      write(make.history(line, lastStep));
      summary = { ...summary, ...line };
      send({ type: "history", line: jsonLine(line) });
      send({ type: "summary", values: line });
    },
    summary(values) {
      summary = { ...summary, ...values };
      write(make.summary(values));
      send({ type: "summary", values });
    },
    output(line) {
      write(make.output(`${line}\n`, new Date()));
      send({ type: "output", line });
    },
    async finish(exitCode) {
      clearInterval(timer);
      system();
      const runtime = seconds(new Date());
      const last = { ...summary, _runtime: runtime, _wandb: { runtime: Math.round(runtime) } };
      write(make.summary(last));
      send({ type: "summary", values: last });
      write(make.exit(exitCode, runtime));
      write(make.footer());
      try {
        file?.close();
        if (file) writeFileSync(join(folder, "files", "wandb-summary.json"), jsonLine(last));
      } catch (error) {
        say(`W&B: ${messageOf(error)}`);
      }
      file = undefined;
      if (!online) return;
      const worker = sender;
      await new Promise<void>((resolve) => {
        const limit = setTimeout(
          () => {
            giveUp(`the server did not take everything within ${times.finishSeconds ?? 120} s`);
            resolve();
          },
          (times.finishSeconds ?? 120) * 1000,
        );
        finished = () => {
          clearTimeout(limit);
          resolve();
        };
        send({ type: "finish", exitCode });
      });
      await worker?.terminate();
      if (!online) return;
      // All of it was taken: no longer a run that waits for `wandb sync`.
      const sent = folder.replace("offline-run-", "run-");
      try {
        renameSync(folder, sent);
        folder = sent;
      } catch (error) {
        say(`W&B: ${messageOf(error)}`);
      }
    },
  };
}

/** The step of training, as the Hugging Face Trainer names it: what its curves are drawn against. */
const GLOBAL_STEP = "train/global_step";

const jsonLine = (values: Readonly<Record<string, unknown>>): string =>
  `{${Object.entries(values)
    .map(([key, value]) => `${JSON.stringify(key)}:${jsonOf(value)}`)
    .join(",")}}`;

const randomId = (): string =>
  [...randomBytes(8)].map((byte) => "abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36]).join("");

function stamp(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = [at.getMonth() + 1, at.getDate()].map(two).join("");
  return `${at.getFullYear()}${day}_${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join("")}`;
}

let lastProcessor = process.cpuUsage();
let lastAt = performance.now();

/** The official client's names for what this process uses. */
function systemMetrics(): Record<string, Logged> {
  const now = performance.now();
  const used = process.cpuUsage(lastProcessor);
  const elapsed = Math.max(1, now - lastAt);
  lastProcessor = process.cpuUsage();
  lastAt = now;
  const megabyte = 1024 * 1024;
  return {
    cpu: (100 * (used.user + used.system)) / 1000 / elapsed / Math.max(1, cpus().length),
    "proc.memory.rssMB": process.memoryUsage.rss() / megabyte,
    "proc.memory.availableMB": freemem() / megabyte,
    memory_percent: 100 * (1 - freemem() / totalmem()),
  };
}
