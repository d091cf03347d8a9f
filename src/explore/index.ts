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
