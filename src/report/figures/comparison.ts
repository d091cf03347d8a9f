import * as Plot from "@observablehq/plot";
import type { Comparison, PairedComparison } from "../../evaluate/index.js";
import { groupFigure } from "./evaluation.js";
import { COLOURS, type Figure, HALF, points, spoken, WIDE } from "./figure.js";
import { draw } from "./plot.js";
import { shortened, widestWidth } from "./text-width.js";

/** The room of a run's name in an axis's label. */
const NAME = 360;

/** Every run's accuracy on the common rows: narrow enough for a telephone, unless names would be cut off. */
export function runsFigure(comparison: Comparison): Figure {
  const runs = comparison.runs.map(({ name, statistics }) => ({ label: name, ...statistics.overall }));
  const fit = runs.every(({ label, n }) => widestWidth(`${label} (${n.toLocaleString("en")})`) < HALF / 2);
  return groupFigure("accuracy-by-run", "Accuracy on the common rows", runs, { width: fit ? HALF : WIDE });
}

/**
 * Each subject's change from the first run to the second with its interval; filled where it moved after Holm's
 * correction.
 */
export function changeFigure(pair: PairedComparison, name = "change-by-subject"): Figure {
  const rows = [...pair.subjects]
    .sort((a, b) => b.difference - a.difference || (a.subject < b.subject ? -1 : 1))
    .map((one) => ({
      ...one,
      label: `${spoken(one.subject)} (${one.n.toLocaleString("en")})`,
      low: one.interval[0],
      high: one.interval[1],
    }));
  const moved = rows.filter((row) => row.moved);
  const changes = moved.map((row) => `${row.label} ${points(row.difference)}`).join(", ");
  const which = changes && `: ${changes}`;
  return draw(
    name,
    `Change by subject: ${pair.second} against ${pair.first}`,
    `${moved.length} of ${rows.length} subjects moved after Holm's correction${which}. ` +
      `Overall ${points(pair.difference)}.`,
    {
      height: 80 + 18 * rows.length,
      rows: rows.map((row) => row.label),
      marginRight: 30,
      insetLeft: 12,
      insetRight: 12,
      key: [
        { look: "dot", colour: COLOURS.blue, text: "moved" },
        { look: "ring", colour: COLOURS.blue, text: "may be chance" },
        { look: "interval", colour: COLOURS.grey, text: "95 % interval" },
        { look: "dashed", colour: COLOURS.red, text: "all rows" },
      ],
      x: {
        label: `percentage points: ${shortened(pair.second, NAME)} minus ${shortened(pair.first, NAME)}`,
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: (share: number) => `${share < 0 ? "−" : share > 0 ? "+" : ""}${Math.round(Math.abs(100 * share))}`,
        grid: true,
      },
      marks: [
        Plot.ruleX([0]),
        Plot.ruleX([pair.difference], { stroke: COLOURS.red, strokeWidth: 1.6, strokeDasharray: "4 3" }),
        Plot.ruleY(rows, { x1: "low", x2: "high", y: "label", stroke: COLOURS.grey, strokeWidth: 1.4 }),
        Plot.dot(rows, {
          x: "difference",
          y: "label",
          r: 4.5,
          stroke: COLOURS.blue,
          strokeWidth: 1.6,
          fill: (row: { moved: boolean }) => (row.moved ? COLOURS.blue : "none"),
        }),
      ],
    },
  );
}
