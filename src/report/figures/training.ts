import * as Plot from "@observablehq/plot";
import { COLOURS, type Figure, SERIES } from "./figure.js";
import { draw } from "./plot.js";

/** A logged step of training. */
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
}

/** A validation after an epoch. */
export interface ValidationPoint {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
}

/** The training loss by step, the validation loss where there is one, and a published run's where it is known. */
export function lossFigure(
  points: readonly LossPoint[],
  validation: readonly ValidationPoint[] = [],
  published: readonly Pick<LossPoint, "step" | "loss">[] = [],
): Figure {
  const last = points[points.length - 1];
  // The first steps of a model with random weights would flatten all that follows: they may leave the picture.
  const losses = [...points.slice(1), ...validation, ...published].map((point) => point.loss).sort((a, b) => a - b);
  const top = Math.min(
    Math.max(...losses, points[0]?.loss ?? 0),
    1.6 * (losses[Math.floor(0.95 * losses.length)] ?? Number.POSITIVE_INFINITY),
  );
  const best = validation.length > 1 ? validation.reduce((low, one) => (one.loss < low.loss ? one : low)) : undefined;
  const bottom = Math.min(...losses, points[0]?.loss ?? 0);
  const epochs = validation.map((one) => `epoch ${one.epoch} ${one.loss.toFixed(3)}`).join(", ");
  return draw(
    "loss",
    validation.length ? "Loss" : "Training loss",
    `From ${points[0]?.loss.toFixed(3)} to ${last?.loss.toFixed(3)} at step ` +
      `${last?.step}.${validation.length ? ` Validation: ${epochs}.` : ""}${
        published.length
          ? ` Published: from ${published[0]!.loss.toFixed(3)} to ${published.at(-1)!.loss.toFixed(3)} at step ` +
            `${published.at(-1)!.step}.`
          : ""
      }`,
    {
      height: 320,
      marginRight: 56,
      key: [
        { look: "line", colour: COLOURS.blue, text: "training" },
        ...(validation.length
          ? [{ look: "diamond", colour: COLOURS.orange, text: "validation, after an epoch" } as const]
          : []),
        ...(published.length ? [{ look: "line", colour: COLOURS.red, text: "training, as published" } as const] : []),
      ],
      x: { label: "step", labelAnchor: "center", labelArrow: "none" },
      y: { label: "loss", grid: true, domain: [bottom < 0.5 * top ? 0 : bottom, top] },
      marks: [
        Plot.line(published, { x: "step", y: "loss", stroke: COLOURS.red, strokeWidth: 1.4, clip: true }),
        Plot.line(points, { x: "step", y: "loss", stroke: COLOURS.blue, strokeWidth: 1.8, clip: true }),
        ...(points.length < 40
          ? [Plot.dot(points, { x: "step", y: "loss", fill: COLOURS.blue, r: 2.5, clip: true })]
          : []),
        Plot.line(validation, { x: "step", y: "loss", stroke: COLOURS.orange, strokeWidth: 1.8 }),
        Plot.dot(validation, {
          x: "step",
          y: "loss",
          fill: COLOURS.orange,
          r: 5,
          symbol: "diamond",
          stroke: "currentColor",
          strokeWidth: 0.8,
        }),
        Plot.text(best ? [best] : [], {
          x: "step",
          y: "loss",
          text: (one: ValidationPoint) => `lowest ${one.loss.toFixed(3)}`,
          dy: -14,
          textAnchor: "middle",
        }),
      ],
    },
  );
}

export function learningRateFigure(points: readonly LossPoint[]): Figure {
  return draw(
    "learning-rate",
    "Learning rate",
    `Highest ${Math.max(...points.map((point) => point.learningRate)).toExponential(2)}.`,
    {
      height: 200,
      marginLeft: 70,
      marginRight: 40,
      x: { label: "step", labelAnchor: "center", labelArrow: "none" },
      y: {
        label: "learning rate",
        grid: true,
        tickFormat: (rate: number) => (rate === 0 ? "0" : rate.toExponential(1)),
        ticks: 4,
        domain: [0, Math.max(...points.map((point) => point.learningRate))],
        nice: true,
      },
      marks: [Plot.line(points, { x: "step", y: "learningRate", stroke: COLOURS.green, strokeWidth: 1.8 })],
    },
  );
}

/** A run's losses, as they are drawn over others'. */
export interface RunCurve {
  readonly name: string;
  readonly points: readonly LossPoint[];
  readonly validation: readonly ValidationPoint[];
}

/** Several runs' training losses by step, with their validation losses. */
export function curvesFigure(runs: readonly RunCurve[]): Figure {
  const shown = runs.slice(0, SERIES.length);
  const losses = shown.flatMap(({ points, validation }) => [...points.slice(1), ...validation].map(({ loss }) => loss));
  const top = 1.2 * Math.max(...losses, 0) || 1;
  const told = shown.map(
    ({ name, points }) => `${name}: from ${points[0]?.loss.toFixed(3)} to ${points.at(-1)?.loss.toFixed(3)}`,
  );
  return draw("losses", "Training losses", `${told.join("; ")}.`, {
    height: 340,
    marginRight: 40,
    key: shown.map(({ name }, at) => ({ look: "line", colour: SERIES[at] as string, text: name })),
    x: { label: "step", labelAnchor: "center", labelArrow: "none" },
    y: { label: "loss", grid: true, domain: [0, top] },
    marks: shown.flatMap(({ points, validation }, at) => [
      Plot.line(points, { x: "step", y: "loss", stroke: SERIES[at], strokeWidth: 1.7, clip: true }),
      Plot.dot(validation, { x: "step", y: "loss", fill: SERIES[at], r: 4.5, symbol: "diamond", clip: true }),
    ]),
  });
}
