import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../../base/errors.js";
import { type ComparedRun, type Interval, type Prediction, readPredictions } from "../../evaluate/index.js";
import {
  type Manifest,
  metricsSchema,
  protocolOf,
  protocolsApart,
  type RunMetrics,
  readManifest,
  readRunFile,
  runFile,
  runStartSchema,
} from "../../record/index.js";

/** A folder that holds a run, whole or still going. */
export interface FoundRun {
  /** The folder's name below the outputs folder. */
  readonly folder: string;
  readonly path: string;
  readonly name: string;
  readonly started: string;
  readonly kind: string;
  readonly complete: boolean;
  readonly sample: boolean;
  /** Accuracy by stage with its interval, where the run has any. */
  readonly accuracies: readonly {
    readonly stage: string;
    readonly accuracy: number;
    readonly n: number;
    readonly interval?: Interval;
  }[];
  /** Why the folder cannot be read, where it cannot. */
  readonly fault?: string;
}

/** The runs in a folder of outputs, newest first; folders that hold none are passed over. */
export async function findRuns(outputs: string): Promise<FoundRun[]> {
  if (!existsSync(outputs)) return [];
  const runs: FoundRun[] = [];
  for (const folder of readdirSync(outputs)) {
    const path = join(outputs, folder);
    try {
      const run = await describe(folder, path);
      if (run) runs.push(run);
    } catch (error) {
      // A folder that cannot be read must not hide the others.
      const fault = [messageOf(error), error instanceof UserError ? error.hint : undefined].filter(Boolean).join(" ");
      runs.push({
        folder,
        path,
        name: folder,
        started: "",
        kind: "unreadable",
        complete: false,
        sample: false,
        accuracies: [],
        fault,
      });
    }
  }
  return runs.sort((a, b) => (a.started < b.started ? 1 : -1));
}

async function describe(folder: string, path: string): Promise<FoundRun | undefined> {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const start = await readRunFile(path, "run.json", runStartSchema);
  if (!start) return undefined;
  const complete = runFile(path, "manifest.json") !== undefined;
  const manifest = complete ? await readManifest(path) : undefined;
  const metrics = (await readRunFile(path, "metrics.json", metricsSchema)) ?? {};
  return {
    folder,
    path,
    complete,
    name: start.name,
    started: start.started,
    kind: manifest?.kind ?? String(start.configuration.kind ?? "run"),
    sample: manifest?.sample ?? false,
    accuracies: accuraciesOf(metrics),
  };
}

function accuraciesOf({ accuracy, n, statistics, baseline, final }: Partial<RunMetrics>): FoundRun["accuracies"] {
  type Stage = Pick<NonNullable<RunMetrics["final"]>, "accuracy" | "n" | "statistics">;
  const of = (stage: string, value: Stage | undefined): FoundRun["accuracies"] =>
    value ? [{ stage, accuracy: value.accuracy, n: value.n, interval: value.statistics?.clustered.interval }] : [];
  const test = accuracy !== undefined && n !== undefined ? { accuracy, n, statistics } : undefined;
  return [...of("test", test), ...of("baseline", baseline), ...of("final", final)];
}

/** A run as it is compared. */
export interface LoadedRun extends ComparedRun {
  readonly manifest: Manifest;
}

/**
 * One stage of a finished run's answers, for a comparison.
 * @param reference a run's folder, or `FOLDER:STAGE` (`baseline`, `final`, `test`); without a stage the last one
 * counts, of several askings of the test rows the first.
 * @throws {UserError} where there is no finished run, it has no predictions, or no such stage.
 */
export async function loadComparedRun(reference: string): Promise<LoadedRun> {
  const colon = reference.lastIndexOf(":");
  const hasStage = colon > 1 && !existsSync(reference);
  const path = hasStage ? reference.slice(0, colon) : reference;
  const manifest = await readManifest(path);
  const file = runFile(path, "predictions.jsonl");
  if (file === undefined) {
    throw new UserError(`${path} has no predictions.jsonl`, {
      hint:
        manifest.kind === "explore"
          ? "An exploration answers no questions: there is nothing to compare."
          : "The run's folder is not whole: run the experiment again.",
    });
  }
  const stages = new Map<string, Prediction[]>();
  for await (const prediction of readPredictions(file)) {
    const list = stages.get(prediction.stage);
    if (list) list.push(prediction);
    else stages.set(prediction.stage, [prediction]);
  }
  // Behind "test" stand its further askings.
  const usual = ["final", "test"].find((one) => stages.has(one)) ?? [...stages.keys()].pop();
  const stage = hasStage ? reference.slice(colon + 1) : usual;
  const predictions = stage === undefined ? undefined : stages.get(stage);
  if (!predictions)
    throw new UserError(`${path} has no answers of stage "${stage ?? ""}"`, {
      hint: `It has: ${[...stages.keys()].join(", ") || "none"}.`,
    });
  return { name: stages.size > 1 ? `${manifest.name}:${stage}` : manifest.name, predictions, manifest };
}

/**
 * Loads runs for a comparison; those whose names would be the same are called as they were asked for.
 * @throws {UserError} as {@link loadComparedRun}
 */
export async function loadComparedRuns(references: readonly string[]): Promise<LoadedRun[]> {
  const runs = await Promise.all(references.map(loadComparedRun));
  return runs.map((run, index) => ({
    ...run,
    name: runs.some((other, place) => place !== index && other.name === run.name)
      ? (references[index] as string)
      : run.name,
  }));
}

/** What is said where runs did not ask alike. */
export const NOT_ALIKE =
  "These runs did not ask alike: a difference between them is one of protocols as much as of models.";

/** Where runs were asked or read otherwise than the first of them, a line each; nothing where all were alike. */
export function askedApart(runs: readonly { readonly name: string; readonly manifest: Manifest }[]): string[] {
  const [first, ...others] = runs;
  const reference = first && protocolOf(first.manifest);
  if (!reference) return [];
  return others.flatMap(({ name, manifest }) => {
    const protocol = protocolOf(manifest);
    const apart = protocol ? protocolsApart(reference, protocol) : [];
    return apart.length ? [`${first.name} against ${name}: ${apart.join("; ")}`] : [];
  });
}
