export { type Exploration, type ExplorationOptions, explore, type TokenizerByLanguage } from "./explore.js";
export { type Duplicates, findDuplicates, type KeyDifference, keyDifferences } from "./keys-and-duplicates.js";
export {
  histogram,
  type LengthHistogram,
  lengthHistogram,
  publishedLengthHistogram,
  type Summary,
  summarize,
} from "./summary.js";
