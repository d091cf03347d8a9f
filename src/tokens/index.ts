/**
 * Tokenizers, numbers of tokens, the length filter.
 *
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { countTokens, loadTokenizer, makeTokenizer } from "mmmlu-lab/tokens";
 *
 * const folder = mkdtempSync(`${tmpdir()}/tokenizer-`);
 * makeTokenizer(["Question: which word?", "Answer: A"], folder, { kind: "t5", size: 100 });
 * const tokenizer = await loadTokenizer({ source: folder });
 * console.log(await tokenizer.encode("Question: which?", true), await countTokens(tokenizer, ["which word?"]));
 * ```
 *
 * @module
 */

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
