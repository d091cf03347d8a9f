import { join } from "node:path";
import { checkedAs } from "../base/json.js";
import { type Manifest, metricsSchema, readManifest, readRunFile } from "../record/index.js";
import type { ReproducedExperiment, ShownFigure } from "../report/index.js";
import { protocolDifferences } from "./configuration/differences.js";
import { migrated } from "./configuration/renames.js";
import { experimentSchema } from "./configuration/schema.js";
import { PUBLISHED } from "./published.js";

/** A published figure beside ours, not yet held against it. */
export type ReproducedFigure = Omit<ShownFigure, "agrees">;

/** One experiment: what was published, and what the run in a folder found. */
export interface Reproduction extends Omit<ReproducedExperiment, "figures"> {
  readonly figures: readonly ReproducedFigure[];
}

// biome-ignore lint/suspicious/noExplicitAny: a file of any version, read key by key
type Metrics = Record<string, any>;

const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

const count = (name: string, published: number, measured: number | undefined): ReproducedFigure => ({
  name,
  published,
  measured,
  unit: "count",
});
const number = (name: string, published: number, measured: number | undefined): ReproducedFigure => ({
  name,
  published,
  measured,
  unit: "number",
});
const share = (name: string, published: number, measured: number | undefined): ReproducedFigure => ({
  name,
  published,
  measured,
  unit: "share",
});
const accuracy = (name: string, published: number, stage: Metrics | undefined): ReproducedFigure => ({
  ...share(name, published, stage?.accuracy),
  ...(stage?.statistics ? { interval: stage.statistics.clustered.interval } : {}),
});

const figuresOf: Record<
  string,
  (metrics: Metrics, manifest: Pick<Manifest, "data" | "split" | "model">) => ReproducedFigure[]
> = {
  eda: (metrics) => {
    const { rows, nulls, answers, questionTokens, questionAndChoicesTokens, shareAtMost256 } = PUBLISHED.eda;
    const summary = (
      name: string,
      published: Readonly<Record<string, number>>,
      measured: Readonly<Record<string, number>> | undefined,
    ): ReproducedFigure[] =>
      Object.entries(published).map(([key, value]) =>
        number(`${name}, ${key === "50%" ? "median" : key}`, value, measured?.[key]),
      );
    return [
      count("rows", rows, metrics.rows),
      count(
        "nulls",
        nulls,
        Object.values((metrics.nulls ?? {}) as Record<string, number>).reduce((a, b) => a + b, 0),
      ),
      ...Object.entries(answers).map(([letter, published]) =>
        count(`answers ${letter}`, published, metrics.answers?.[letter]),
      ),
      ...summary("tokens of the question", questionTokens, metrics.questionTokens),
      ...summary("tokens of question and choices", questionAndChoicesTokens, metrics.questionAndChoicesTokens),
      share("rows of at most 256 tokens", shareAtMost256, metrics.shareAtMost256),
    ];
  },
  "flan-t5-finetune": (metrics) => {
    const published = PUBLISHED["flan-t5-finetune"];
    return [
      count("test rows", published.testRows, metrics.final?.n),
      accuracy("accuracy before training", published.baseline, metrics.baseline),
      accuracy("accuracy after training", published.final, metrics.final),
      count("steps", published.steps, metrics.training?.steps),
      number("training loss", published.trainLoss, metrics.training?.loss),
    ];
  },
  "gemma-2-2b-finetune": (metrics, manifest) => {
    const published = PUBLISHED["gemma-2-2b-finetune"];
    const { split } = manifest;
    return [
      count("rows after the filter", published.rowsAfterFilter, numberOf(manifest.data?.rowsKept)),
      count("parameters trained", published.trainableParameters, numberOf(manifest.model?.trainedParameters)),
      count("train rows", published.train, numberOf(split?.train)),
      count("validation rows", published.validation, numberOf(split?.validation)),
      count("test rows", published.testRows, metrics.final?.n),
      accuracy("accuracy before training", published.baseline, metrics.baseline),
      accuracy("accuracy after training", published.final, metrics.final),
      count("steps", published.steps, metrics.training?.steps),
      number("training loss", published.trainLoss, metrics.training?.loss),
      number("test perplexity", published.testPerplexity, metrics.losses?.test?.perplexity),
    ];
  },
  "gemma-3-27b-baseline": (metrics, manifest) => {
    const published = PUBLISHED["gemma-3-27b-baseline"];
    return [
      count("rows after the filter", published.rowsAfterFilter, numberOf(manifest.data?.rowsKept)),
      count("test rows", published.testRows, metrics.n),
      accuracy("accuracy", published.test, metrics),
      count("unreadable replies", published.unreadable, metrics.unreadable),
    ];
  },
};

/** The published figures of a preset beside a run's, with the verdict where there can be one; none of an experiment that was not published. */
export const besidePublished = (
  experiment: string,
  metrics: object,
  manifest: Pick<Manifest, "data" | "split" | "model">,
): (ReproducedFigure & { agrees: boolean | undefined })[] =>
  (figuresOf[experiment]?.(metrics, manifest) ?? []).map((figure) => ({ ...figure, agrees: agrees(figure) }));

/**
 * Holds a finished run against the published one of its preset.
 * @throws {UserError} where the folder holds no finished run
 */
export async function reproductionOf(experiment: string, folder: string): Promise<Reproduction> {
  const manifest = await readManifest(folder);
  const metrics = (await readRunFile(folder, "metrics.json", metricsSchema)) ?? {};
  const figures = figuresOf[experiment];
  const configuration = checkedAs(
    migrated(manifest.configuration).configuration,
    experimentSchema,
    `${join(folder, "manifest.json")}, configuration`,
    "It was written by another version of mmmlu-lab: run the experiment again with this one.",
  );
  return {
    experiment,
    folder,
    comparable: !manifest.sample,
    figures: figures ? figures(metrics, manifest) : [],
    protocolDifferences: protocolDifferences(configuration),
  };
}

/** Whether the measured figure is the published one: counts exactly, accuracies within the interval; undefined where that cannot be said. */
export function agrees({ published, measured, unit, interval }: ReproducedFigure): boolean | undefined {
  if (measured === undefined) return undefined;
  if (interval) return published >= interval[0] && published <= interval[1];
  return unit === "count" ? published === measured : undefined;
}
