import * as Plot from "@observablehq/plot";
import type { PairedComparison } from "../../evaluate/index.js";
import { COLOURS, draw, type Figure, percent, spoken } from "./plot.js";

/** Each subject's change from the first run to the second; filled where it moved after Holm's correction. */
export function changeFigure(pair: PairedComparison, name = "change-by-subject"): Figure {
  const rows = [...pair.subjects]
    .sort((a, b) => b.difference - a.difference)
    .map((one) => ({ ...one, label: `${spoken(one.subject)} (${one.n})` }));
  return draw(
    name,
    `Change by subject: ${pair.second} against ${pair.first}`,
    `${rows.filter((row) => row.moved).length} of ${rows.length} subjects moved after Holm's correction. Overall ${percent(pair.difference)}.`,
    {
      height: 60 + 17 * rows.length,
      marginLeft: 250,
      x: { label: `accuracy of ${pair.second} minus that of ${pair.first}`, tickFormat: "+%", grid: true },
      y: { label: null, domain: rows.map((row) => row.label) },
      marks: [
        Plot.ruleX([0]),
        Plot.ruleX([pair.difference], { stroke: COLOURS.red, strokeDasharray: "4 3" }),
        Plot.ruleY(rows, { x1: 0, x2: "difference", y: "label", stroke: COLOURS.grey }),
        Plot.dot(rows, { x: "difference", y: "label", r: 4.5, stroke: COLOURS.blue, fill: (row: { moved: boolean }) => (row.moved ? COLOURS.blue : "none") }),
      ],
    },
  );
}
