import { lengthHistogram } from "../explore/index.js";
import { type Figure, loadReports } from "../report/index.js";
import type { Filtered } from "../tokens/index.js";

/** The token lengths that the filter saw, with the rules at 256 and 512. */
export async function lengthFigures(filtered: Filtered): Promise<Figure[]> {
  if (!filtered.counts.length) return [];
  const { histogramFigures } = await loadReports();
  return histogramFigures(lengthHistogram("prompt", filtered.counts));
}
