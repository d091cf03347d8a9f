import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, UserError } from "../../../base/errors.js";
import { sha256, sha256OfFile, writeWhole } from "../../../base/files.js";
import { lockFolder } from "../../../base/lock.js";
import { type ZippedFile, zipOf } from "../../../base/zip.js";
import { withChosenDevice } from "../../choose-device.js";
import type { FinetuneConfiguration } from "../../configuration/schema.js";
import type { RunContext, RunOutcome } from "../../context.js";
import { openRun } from "../../open-run.js";
import { refuseOtherTrainer } from "../../other-trainer.js";
import { FollowedLog } from "../follow-log.js";
import { BUNDLE, ENGINE_RUN, type Job } from "../format.js";
import { importTraining } from "../results.js";
import { BUNDLE_FOLDER, type EngineSettings, engineFailure, engineFlags } from "../torch.js";
import { exportTraining, filesOfBundle } from "../write.js";
import { AwayError, RayCluster, type RayJob } from "./cluster.js";

/** Where and how a Ray cluster trains. */
export interface RaySettings extends EngineSettings {
  /** The address of its dashboard. */
  readonly cluster: string;
  /** A folder that this machine and all nodes see under the same path. */
  readonly shared: string;
  /** What becomes of the job at Ctrl-C; asked where it is undefined and there is somebody to ask. */
  readonly onInterrupt?: "stop" | "leave";
}

/**
 * Fine-tunes an experiment on a Ray cluster: looks whether it can, submits the bundle as a job, shows how it goes,
 * takes the results over. The same call finds a job that still goes on, and takes one up again that failed or was
 * stopped.
 * @throws {UserError} where the cluster does not let it in or has too little, the job failed (with the end of its log),
 * or the cluster went away
 */
export async function finetuneWithRay(
  given: FinetuneConfiguration,
  context: RunContext,
  settings: RaySettings,
): Promise<RunOutcome> {
  const cluster = new RayCluster(settings.cluster, tokenOf(context.environment), context.environment);
  try {
    const configuration = await withChosenDevice(given, context);
    const folder = await openRun(configuration, context);
    const again = { ...context, out: folder.path, fresh: false };
    const shared = resolve(settings.shared);
    const release = lockFolder(folder.path);
    try {
      if (!existsSync(join(shared, ENGINE_RUN.result))) {
        await preflight(cluster, settings, context);
        makeShared(shared);
        await refuseOtherTrainer(folder.path, "elsewhere");
        folder.reopen();
        const bundle = folder.file(BUNDLE_FOLDER);
        const { job } = await exportTraining(configuration, again, bundle);
        const digest = await sha256OfFile(join(bundle, BUNDLE.job));
        const id = await jobFor(cluster, bundle, digest, shared, settings, again);
        await follow(cluster, id, job, shared, settings, again);
      }
    } finally {
      release();
    }
    return await importTraining(configuration, again, shared);
  } finally {
    await cluster.close();
  }
}

/** The cluster's token, as Ray's own client finds it. */
export function tokenOf(environment: NodeJS.ProcessEnv): string | undefined {
  const own = environment["RAY_AUTH_TOKEN"]?.trim();
  if (own) return own;
  const path = environment["RAY_AUTH_TOKEN_PATH"] || join(environment["HOME"] || homedir(), ".ray", "auth_token");
  return existsSync(path) ? readFileSync(path, "utf8").trim() || undefined : undefined;
}

/** @throws {UserError} where the job could not run: it would wait without end for what is not there */
async function preflight(cluster: RayCluster, settings: RaySettings, { progress }: RunContext): Promise<void> {
  const version = await cluster.version();
  const { live, cpus, gpus } = await cluster.nodes();
  const has = `${live} live ${live === 1 ? "node" : "nodes"}, ${cpus} CPUs, ${gpus} GPUs`;
  progress.say(`Ray ${version} at ${cluster.address}: ${has}`);
  const [what, there] = settings.engineDevice === "cpu" ? ["CPUs", cpus] : ["GPUs", gpus];
  if (there < settings.processes)
    throw new UserError(`--workers asks for ${settings.processes} ${what}, and the cluster has ${there} (${has})`, {
      hint:
        what === "GPUs" && gpus === 0
          ? "Give --engine-device cpu to train on CPUs, or add nodes with GPUs."
          : "Give fewer --workers, or add nodes to the cluster.",
    });
}

function makeShared(shared: string): void {
  try {
    mkdirSync(shared, { recursive: true });
  } catch (error) {
    throw new UserError(`the shared folder ${shared} cannot be made here: ${messageOf(error)}`, {
      hint: "Give with --shared a folder that this machine and all nodes of the cluster see under the same path.",
      cause: error,
    });
  }
}

/** Attempts at a job that are looked for. */
const MOST_ATTEMPTS = 1000;

/** The job that trains a bundle into a folder: the one that goes on there, else one that is submitted now. */
async function jobFor(
  cluster: RayCluster,
  bundle: string,
  digest: string,
  shared: string,
  settings: RaySettings,
  { progress }: RunContext,
): Promise<string> {
  // The same bundle into the same folder is the same job, whoever asks.
  const base = `mmmlu-${digest.slice(0, 12)}-${sha256(shared).slice(0, 8)}`;
  let attempt = 1;
  for (; attempt < MOST_ATTEMPTS; attempt++) {
    const job = await cluster.job(`${base}-${attempt}`);
    if (!job) break;
    if (isGoing(job)) {
      progress.say(`the job ${base}-${attempt} is there already (${job.status.toLowerCase()})`);
      return `${base}-${attempt}`;
    }
  }
  const id = `${base}-${attempt}`;
  const marker = randomBytes(16).toString("hex");
  writeWhole(join(shared, "marker"), `${marker}\n`);
  const zip = zipOf(filesOf(bundle));
  const workingFolder = await cluster.upload(`${base}-${sha256(zip).slice(0, 16)}.zip`, zip);
  const given = ["--ray", "--out", shared, "--marker", marker, ...engineFlags(settings)];
  await cluster.submit({
    entrypoint: [settings.python, "train.py", ...given].map(quoted).join(" "),
    submission_id: id,
    runtime_env: { working_dir: workingFolder },
    metadata: { name: "mmmlu-lab", job: digest },
  });
  progress.say(`submitted the job ${id}`);
  return id;
}

const isGoing = ({ status }: RayJob): boolean => status === "PENDING" || status === "RUNNING";

/** A word for a shell. */
const quoted = (word: string): string => (/^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

const filesOf = (bundle: string): ZippedFile[] =>
  filesOfBundle(bundle).map(({ name, path }) => ({ name, data: readFileSync(path) }));

/** Milliseconds between two looks at a job, and for how long a cluster that does not answer is waited for. */
const [LOOK, AWAY] = [1000, 60_000];

async function follow(
  cluster: RayCluster,
  id: string,
  job: Job,
  shared: string,
  settings: RaySettings,
  context: RunContext,
): Promise<void> {
  const { progress, signal } = context;
  const followed = new FollowedLog(job, progress);
  let seen = Date.now();
  let pending = true;
  progress.begin(`waiting for the job ${id}`);
  for (;;) {
    followed.read(join(shared, ENGINE_RUN.log));
    if (signal?.aborted) throw await interrupted(cluster, id, followed, settings, context);
    let now: RayJob | undefined;
    try {
      now = await cluster.job(id);
      seen = Date.now();
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      if (Date.now() - seen > AWAY) {
        followed.end(`ended at step ${followed.step}`);
        throw new UserError(`the cluster went away at step ${followed.step}: ${error.message}`, {
          hint: "The job may go on: the same command finds it again, or takes it up from its checkpoint.",
          cause: error,
        });
      }
    }
    if (now && pending && now.status !== "PENDING") {
      pending = false;
      progress.end(now.status.toLowerCase());
    }
    if (now && !isGoing(now)) {
      followed.read(join(shared, ENGINE_RUN.log));
      if (now.status === "SUCCEEDED" && existsSync(join(shared, ENGINE_RUN.result)))
        return followed.end(`${job.training.steps} steps`);
      followed.end(`ended at step ${followed.step}`);
      throw await failure(cluster, id, now, shared);
    }
    await sleep(LOOK, undefined, { signal }).catch(() => {});
  }
}

async function failure(cluster: RayCluster, id: string, job: RayJob, shared: string): Promise<UserError> {
  if (job.status === "STOPPED")
    return new UserError(`the job ${id} was stopped`, {
      hint: "Run the same command again: it goes on from the checkpoint.",
    });
  const log = await cluster.log(id).catch(() => job.message ?? "");
  if (job.status === "SUCCEEDED")
    return new UserError(`the job ${id} ended well, and left no ${ENGINE_RUN.result} in ${shared}`, {
      hint: "Is that folder one that this machine and all nodes share (--shared)?",
    });
  const where = `the log of the job ${id} (${cluster.address})`;
  const how = job.driver_exit_code == null ? job.status.toLowerCase() : `code ${job.driver_exit_code}`;
  return engineFailure(log || (job.message ?? ""), where, how);
}

/** Stops the job or leaves it, as is asked for. */
async function interrupted(
  cluster: RayCluster,
  id: string,
  followed: FollowedLog,
  settings: RaySettings,
  { signal, choose }: RunContext,
): Promise<UserError> {
  followed.end(`seen until step ${followed.step}`);
  const choice =
    settings.onInterrupt ??
    (await choose?.(`Stop the job ${id} on the cluster, or leave it running?`, ["leave", "stop"])) ??
    "leave";
  if (choice === "stop") {
    await cluster.stop(id);
    return new UserError(`stopped the job ${id} at step ${followed.step}`, {
      hint: "Its checkpoint is kept: run the same command again, it goes on from there.",
      cause: signal?.reason,
    });
  }
  return new UserError(`left the job ${id} running, at step ${followed.step}`, {
    hint: "Run the same command again: it finds the job. With --on-interrupt stop, Ctrl-C then stops it.",
    cause: signal?.reason,
  });
}
