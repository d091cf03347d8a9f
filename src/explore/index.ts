/**
 * What an exploration computes from rows and numbers of tokens.
 *
 * ```ts
 * import { histogram, summarize } from "mmmlu-lab/explore";
 *
 * const lengths = [12, 40, 41, 87, 260];
 * console.log(summarize(lengths), histogram(lengths, 4).counts);
 * ```
 *
 * @module
 */

export { type Duplicates, findDuplicates } from "./duplicates.js";
export { type Exploration, type ExplorationOptions, explore, type TokenizerByLanguage } from "./explore.js";
export { type KeyDifference, keyDifferences } from "./key-differences.js";
export {
  histogram,
  type LengthHistogram,
  lengthHistogram,
  publishedLengthHistogram,
  type Summary,
  summarize,
} from "./summary.js";
