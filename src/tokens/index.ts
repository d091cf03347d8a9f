export { countTokens } from "./fast-count.js";
export { type Filtered, filterByLength, type LengthFilter } from "./length-filter.js";
export { loadTokenizer, type TokenizerOptions } from "./load-tokenizer.js";
export { type MakeTokenizerOptions, makeTokenizer } from "./make-tokenizer.js";
export { Tokenizer } from "./tokenizer.js";
export { readTokenizerConfig, type TokenizerConfig } from "./tokenizer-config.js";
