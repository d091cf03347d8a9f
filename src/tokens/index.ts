export { countTokens } from "./fast-count.js";
export { type KeptCountOptions, type KeptCounts, keptTokenCounts, type Texts } from "./kept-counts.js";
export { type Filtered, filterByCounts, filterByLength, type LengthFilter } from "./length-filter.js";
export {
  findTokenizer,
  type LoadedTokenizer,
  loadTokenizer,
  type TokenizerFiles,
  type TokenizerOptions,
} from "./load-tokenizer.js";
export { type MakeTokenizerOptions, makeTokenizer } from "./make-tokenizer.js";
export { Tokenizer } from "./tokenizer.js";
export { readChatTemplate, readTokenizerConfig, type TokenizerConfig } from "./tokenizer-config.js";
