import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { checkedAs, parseJson } from "../../base/json.js";
import { lockFolder } from "../../base/lock.js";
import { printableName } from "../../base/printable.js";
import { withChosenDevice } from "../choose-device.js";
import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { RunContext, RunOutcome } from "../context.js";
import { openRun } from "../open-run.js";
import { ENGINE_FOLDER, refuseOtherTrainer } from "../other-trainer.js";
import { FollowedLog } from "./follow-log.js";
import { ENGINE_RUN, engineFile, type Job } from "./format.js";
import { importTraining } from "./results.js";
import { exportTraining } from "./write.js";

/** How the PyTorch engine computes: what changes no more than rounding. */
export interface EngineSettings {
  /** A Python that has what `engines/torch/requirements.txt` lists. */
  readonly python: string;
  /** Processes that train together; a GPU each where there are GPUs. */
  readonly processes: number;
  readonly microBatch?: number;
  readonly precision?: "auto" | "float32" | "bfloat16";
  readonly gradientCheckpointing?: boolean;
  readonly engineDevice?: "auto" | "cpu" | "cuda";
  /** Folder or hub id of the base where the engine runs, instead of the one that the experiment names. */
  readonly engineModel?: string;
}

/** Flags of train.py. */
export const engineFlags = (settings: Omit<EngineSettings, "python">): string[] => [
  "--processes",
  String(settings.processes),
  ...(settings.microBatch === undefined ? [] : ["--micro-batch", String(settings.microBatch)]),
  ...(settings.precision === undefined ? [] : ["--precision", settings.precision]),
  ...(settings.engineDevice === undefined ? [] : ["--device", settings.engineDevice]),
  ...(settings.engineModel === undefined ? [] : ["--model", settings.engineModel]),
  ...(settings.gradientCheckpointing ? ["--gradient-checkpointing"] : []),
];

/** Within a run's folder. */
export const BUNDLE_FOLDER = "bundle";

/**
 * Fine-tunes an experiment with PyTorch on this machine: writes its bundle, trains it, takes the results over. The same
 * call goes on where an interrupted one stopped.
 * @throws {UserError} where there is no such Python, it lacks a package, or training ended before its end
 */
export async function finetuneWithTorch(
  given: FinetuneConfiguration,
  context: RunContext,
  settings: EngineSettings,
): Promise<RunOutcome> {
  const configuration = await withChosenDevice(given, context);
  await checkPython(settings.python, configuration);
  const folder = await openRun(configuration, context);
  const again = { ...context, out: folder.path, fresh: false };
  const engine = folder.file(ENGINE_FOLDER);
  const release = lockFolder(folder.path);
  try {
    if (!existsSync(join(engine, ENGINE_RUN.result))) {
      await refuseOtherTrainer(folder.path, "elsewhere");
      folder.reopen();
      const { job } = await exportTraining(configuration, again, folder.file(BUNDLE_FOLDER));
      mkdirSync(engine, { recursive: true });
      await trainHere(folder.file(BUNDLE_FOLDER, "train.py"), engine, job, again, settings);
    }
  } finally {
    release();
  }
  return importTraining(configuration, again, engine);
}

const found = z.object({ version: z.string().max(100), missing: z.array(z.string()) });

/** @throws {UserError} where there is no such Python, or it lacks a package that the experiment needs */
export async function checkPython(python: string, { lora, model }: FinetuneConfiguration): Promise<void> {
  const needed = [
    "torch",
    "transformers",
    "safetensors",
    ...(lora ? ["peft"] : []),
    ...(model.quantization === "none" ? [] : ["bitsandbytes", "accelerate"]),
  ];
  const code =
    "import json, sys\nfrom importlib.util import find_spec\n" +
    "print(json.dumps({'version': sys.version.split()[0], " +
    "'missing': [name for name in sys.argv[1:] if find_spec(name) is None]}))";
  const hint = `Name one with --python; it needs what ${engineFile("requirements.txt")} lists.`;
  let out: string;
  try {
    out = (await promisify(execFile)(python, ["-c", code, ...needed], { timeout: 60_000 })).stdout;
  } catch (error) {
    throw new UserError(`there is no Python that can be started as ${printableName(python)}`, {
      hint,
      cause: error,
    });
  }
  const { version, missing } = checkedAs(
    parseJson(out, `what ${python} printed`, hint),
    found,
    `what ${python} printed`,
    hint,
  );
  if (missing.length > 0)
    throw new UserError(`${printableName(python)} (Python ${version}) has no ${missing.join(", ")}`, {
      hint:
        `Install what it lacks: ${python} -m pip install -r ${engineFile("requirements.txt")}; or name another ` +
        `Python with --python.`,
    });
}

/** Milliseconds between two looks at the engine's log. */
const LOOK = 250;

async function trainHere(
  program: string,
  out: string,
  job: Job,
  context: RunContext,
  settings: EngineSettings,
): Promise<void> {
  const { progress, signal } = context;
  const { python, processes } = settings;
  const logPath = join(out, "engine.log");
  const launcher =
    processes === 1 ? [] : ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", String(processes)];
  const given = [...launcher, program, "--out", out, ...engineFlags(settings)];
  progress.say(
    `starting PyTorch, ${processes} ${processes === 1 ? "process" : "processes"}; it tells of itself in ${logPath}`,
  );
  rmSync(logPath, { force: true });
  const file = openSync(logPath, "w");
  const child = spawn(python, given, {
    // Ctrl-C reaches this process alone, which then asks the engine to stop.
    detached: true,
    stdio: ["ignore", file, file],
    env: {
      ...context.environment,
      OMP_NUM_THREADS:
        context.environment["OMP_NUM_THREADS"] ?? String(Math.max(1, Math.floor(availableParallelism() / processes))),
      ...(context.offline ? { HF_HUB_OFFLINE: "1" } : {}),
    },
  });
  closeSync(file);
  const ended = endOf(child);
  const stop = (): void => void child.kill("SIGTERM");
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  process.once("exit", stop);
  const followed = new FollowedLog(job, progress);
  const watch = setInterval(() => followed.read(join(out, ENGINE_RUN.log)), LOOK);
  try {
    const { code, killedBy } = await ended;
    followed.read(join(out, ENGINE_RUN.log));
    if (code === 0) return followed.end(`${job.training.steps} steps`);
    followed.end(`ended at step ${followed.step}`);
    if (signal?.aborted)
      throw new UserError(`stopped at step ${followed.step}`, {
        hint: "A checkpoint is kept: run the same command again, it goes on from there.",
        cause: signal.reason,
      });
    throw engineFailure(readFileSync(logPath, "utf8"), logPath, killedBy ?? `code ${code}`);
  } finally {
    clearInterval(watch);
    process.off("exit", stop);
    signal?.removeEventListener("abort", stop);
  }
}

const endOf = (child: ChildProcess): Promise<{ code: number | null; killedBy: NodeJS.Signals | null }> =>
  new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, killedBy) => resolve({ code, killedBy }));
  });

/** A line in which the engine says why it does not train. */
const OWN = /(?:train\.py|Refused): (?!begin |stopped |\d+ steps)/;

/** Lines of a log that are told, where the engine gave no reason of its own. */
const TOLD = 12;

/**
 * What went wrong, by what an engine wrote: its own reason, else the end of its log.
 * @param where its whole log is
 * @param how it ended
 */
export function engineFailure(log: string, where: string, how: string): UserError {
  const lines = log.split("\n").map((line) => line.trimEnd());
  const own = lines.findLast((line) => OWN.test(line));
  const reason = own?.replace(/^.*?(?:train\.py|Refused): /, "");
  if (reason !== undefined) {
    const [what, ...hint] = reason.split(/(?<=[^.])\. (?=[A-Z])/);
    return new UserError(`PyTorch's engine: ${printableName((what ?? "").replace(/\.$/, ""), 1000)}`, {
      hint: hint.length > 0 ? printableName(`${hint.join(". ")}`, 1000) : `All that it said is in ${where}.`,
    });
  }
  const end = lines
    .filter(Boolean)
    .slice(-TOLD)
    .map((line) => printableName(line, 300));
  return new UserError(`PyTorch's engine ended before its end (${how}):\n${end.join("\n")}`, {
    hint: `All that it said is in ${where}. The last checkpoint is kept: the same command goes on from there.`,
  });
}
