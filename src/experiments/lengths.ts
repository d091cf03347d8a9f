import { lengthHistogram } from "../explore/index.js";
import { type Figure, histogramFigures } from "../report/index.js";
import type { Filtered } from "../tokens/index.js";

/** The token lengths that the filter saw, with the rules at 256 and 512. */
export const lengthFigures = (filtered: Filtered): Figure[] =>
  filtered.counts.length ? histogramFigures(lengthHistogram("prompt", filtered.counts)) : [];
