import type { MeasuredStage, ReproducedFigure } from "./experiment.js";

type Figure = (name: string, published: number, measured: unknown) => ReproducedFigure;

const figure =
  (unit: ReproducedFigure["unit"]): Figure =>
  (name, published, measured) => ({
    name,
    published,
    measured: typeof measured === "number" ? measured : undefined,
    unit,
  });

/** A count: the run's agrees where it is the same. */
export const count = figure("count");
export const number = figure("number");
/** A number from 0 to 1. */
export const share = figure("share");

/** An accuracy with its interval: the run's agrees where that holds the published one. */
export const accuracy = (name: string, published: number, stage: MeasuredStage | undefined): ReproducedFigure => ({
  ...share(name, published, stage?.accuracy),
  ...(stage?.statistics ? { interval: stage.statistics.clustered.interval } : {}),
});
