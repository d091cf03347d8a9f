import { histogram } from "../explore/index.js";
import { type Figure, histogramFigure } from "../report/index.js";
import type { Filtered } from "../tokens/index.js";

/** The token lengths that the filter saw, with the rules at 256 and 512. */
export function lengthFigures(filtered: Filtered, _maximum?: number): Figure[] {
  return filtered.counts.length ? [histogramFigure({ name: "prompt", ...histogram(filtered.counts) })] : [];
}
