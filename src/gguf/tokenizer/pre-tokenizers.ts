/** How byte-level BPE cuts a text into words before it merges: what `tokenizer.ggml.pre` names. */
export interface PreTokenizer {
  /** llama.cpp's names of it; the first is written. */
  readonly names: readonly string[];
  /**
   * Regular expressions by which a text is cut, and what that gives by the next one; none where byte-level has its own.
   */
  readonly expressions: readonly string[];
  /** Whether GPT-2's own expression cuts last, which `ByteLevel` has built in. */
  readonly ownExpression: boolean;
  /** Whether every digit stands alone (`Digits`). */
  readonly digits?: boolean;
  /** Whether a word that is a token as a whole is taken whatever the merges say. */
  readonly ignoreMerges: boolean;
  /** Whether a text is opened by the first token unless the file says otherwise. */
  readonly addsBegin: boolean;
  /** The normalization that the original tokenizer has beside it, which llama.cpp leaves out. */
  readonly normalizer?: "NFC";
}

const cut = (contraction: string, digits: string): string =>
  `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ` +
  `?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

/**
 * Source: `llm_tokenizer_bpe` in llama.cpp's src/llama-vocab.cpp, and the tokenizer.json of the models that it names;
 * held against both by tests.
 */
export const PRE_TOKENIZERS: readonly PreTokenizer[] = [
  {
    names: ["llama-bpe", "llama3", "llama-v3"],
    expressions: [cut(CONTRACTION, "\\p{N}{1,3}")],
    ownExpression: false,
    ignoreMerges: true,
    addsBegin: true,
  },
  {
    names: ["qwen2", "deepseek-r1-qwen"],
    expressions: [cut(CONTRACTION, "\\p{N}")],
    ownExpression: false,
    ignoreMerges: false,
    addsBegin: false,
    normalizer: "NFC",
  },
  { names: ["gpt-2"], expressions: [], ownExpression: true, ignoreMerges: false, addsBegin: false },
  { names: ["smollm"], expressions: [], ownExpression: true, digits: true, ignoreMerges: false, addsBegin: false },
  {
    names: ["default"],
    expressions: [
      "[\\p{P}\\$\\+<=>\\^~\\|]+",
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
      "\\p{N}+",
      "[0-9][0-9][0-9]",
    ],
    ownExpression: false,
    ignoreMerges: false,
    addsBegin: false,
  },
];

/** `pre_tokenizer` in tokenizer.json. */
export function preTokenizerJson({ expressions, ownExpression, digits }: PreTokenizer): Record<string, unknown> {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: ownExpression };
  const before = [
    ...(digits ? [{ type: "Digits", individual_digits: true }] : []),
    ...expressions.map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false })),
  ];
  return before.length === 0 ? byteLevel : { type: "Sequence", pretokenizers: [...before, byteLevel] };
}
