import { percent } from "./figures/figure.js";
import type { TrainingCurves } from "./training-curves.js";

/** An experiment's published figures beside measured ones, or why there are none. */
export interface ReproducedExperiment {
  readonly experiment: string;
  readonly folder: string;
  /** Whether the figures can be held against each other: false on the sample. */
  readonly comparable: boolean;
  readonly figures: readonly ShownFigure[];
  readonly protocolDifferences: readonly string[];
  /** The run's training, where it trained. */
  readonly curves?: Omit<TrainingCurves, "tiles">;
}

/** One published figure beside the measured one. */
export interface ShownFigure {
  readonly name: string;
  /** What it is one of many of, such as a confusion matrix: such are told together. */
  readonly group?: string;
  readonly published: number;
  /** undefined where the run does not tell it. */
  readonly measured: number | undefined;
  /** How both are written. */
  readonly unit: "count" | "share" | "number";
  /** 95 % interval of a measured accuracy, clustered by question, to hold the published one against. */
  readonly interval?: readonly [number, number];
  /** Whether the two agree, where that can be said. */
  readonly agrees: boolean | undefined;
}

/** A figure as it is written: 12,345, 53.9 %, 1.390288 */
export function written(value: number | undefined, unit: "count" | "share" | "number"): string {
  if (value === undefined) return "–";
  if (unit === "share") return percent(value, 2);
  return unit === "count" || Number.isInteger(value)
    ? value.toLocaleString("en")
    : String(Number(value.toPrecision(7)));
}

/** Figures by their group, in the order in which groups are first met; those of none under undefined. */
export function byGroup<F extends Pick<ShownFigure, "group">>(figures: readonly F[]): Map<string | undefined, F[]> {
  const groups = new Map<string | undefined, F[]>([[undefined, []]]);
  for (const figure of figures) {
    const own = groups.get(figure.group);
    if (own) own.push(figure);
    else groups.set(figure.group, [figure]);
  }
  return groups;
}

/** How a group's figures compare, in words: `14 of 16 agree`, or `16 figures` where that cannot be said. */
export function groupInWords(figures: readonly ShownFigure[], comparable: boolean): string {
  const held = figures.filter(({ agrees }) => agrees !== undefined);
  const all = `${figures.length.toLocaleString("en")} figures`;
  if (!comparable || held.length === 0) return all;
  return (
    `${held.filter(({ agrees }) => agrees).length} of ` +
    `${held.length === figures.length ? all : `${held.length} that can be held against each other`} agree`
  );
}
