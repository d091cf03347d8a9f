import { join } from "node:path";
import { checkedAs } from "../base/json.js";
import { metricsSchema, readManifest, readRunFile, runFile } from "../record/index.js";
import type { ReproducedExperiment } from "../report/index.js";
import { protocolDifferences } from "./configuration/differences.js";
import { migrated } from "./configuration/renames.js";
import { experimentSchema } from "./configuration/schema.js";
import { type Experiment, experimentOf, type MeasuredRun, type ReproducedFigure } from "./presets/index.js";
import { readCurves } from "./train-log.js";

/** One experiment: what was published, and what the run in a folder found. */
export interface Reproduction extends Omit<ReproducedExperiment, "figures"> {
  readonly figures: readonly ReproducedFigure[];
}

/**
 * The published figures of an experiment beside a run's, with the verdict where there can be one; none where nothing
 * was published.
 */
export const withPublishedFigures = (
  experiment: Experiment | undefined,
  run: MeasuredRun,
): (ReproducedFigure & { agrees: boolean | undefined })[] =>
  (experiment?.figures(run) ?? []).map((figure) => ({ ...figure, agrees: agrees(figure) }));

/**
 * Holds a finished run against the published one of its preset.
 * @throws {UserError} where the folder holds no finished run
 */
export async function reproductionOf(experiment: string, folder: string): Promise<Reproduction> {
  const manifest = await readManifest(folder);
  const metrics = (await readRunFile(folder, "metrics.json", metricsSchema)) ?? {};
  const configuration = checkedAs(
    migrated(manifest.configuration).configuration,
    experimentSchema,
    `${join(folder, "manifest.json")}, configuration`,
    "It was written by another version of mmmlu-lab: run the experiment again with this one.",
  );
  const log = runFile(folder, "train-log.jsonl");
  const curves = log === undefined ? undefined : await readCurves(log);
  return {
    experiment,
    folder,
    comparable: !manifest.sample,
    figures:
      experimentOf({ extends: experiment, name: experiment })?.figures({
        metrics,
        manifest,
        trainLog: curves?.points,
      }) ?? [],
    curves,
    protocolDifferences: protocolDifferences(configuration),
  };
}

/**
 * Whether the measured figure is the published one: counts exactly, accuracies within the interval; undefined where
 * that cannot be said.
 */
export function agrees({ published, measured, unit, interval }: ReproducedFigure): boolean | undefined {
  if (measured === undefined) return undefined;
  if (interval) return published >= interval[0] && published <= interval[1];
  return unit === "count" ? published === measured : undefined;
}
