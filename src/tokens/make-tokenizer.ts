import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../base/files.js";
import { mmmlu } from "../tasks/index.js";

export interface MakeTokenizerOptions {
  /**
   * `t5`: `<pad>` 0, `</s>` 1, `<unk>` 2, a text closed by `</s>`; `gemma`: `<pad>` 0, `<eos>` 1, `<bos>` 2, `<unk>` 3,
   * a text opened by `<bos>`.
   */
  readonly kind: "t5" | "gemma";
  /** At most so many tokens; the most frequent words stay, the rest are unknown. */
  readonly size: number;
  /** Letters that are always tokens, alone and behind a space; MMMLU's where none are given. */
  readonly letters?: readonly string[];
}

const SPECIAL = {
  t5: ["<pad>", "</s>", "<unk>"],
  gemma: ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"],
} as const;

const CHAT_TEMPLATES = {
  t5: "{% for message in messages %}{{ message['content'] }}{% if not loop.last %}{{ '\n\n' }}{% endif %}{% endfor %}",
  gemma:
    "{{ bos_token }}{% for message in messages %}{{ '<start_of_turn>' + ('model' if message['role'] == " +
    "'assistant' else message['role']) + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% " +
    "endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
} as const;

/**
 * Makes a small word tokenizer for a tiny model: a token a word or sign, each with the space before it, and writes it
 * as a `tokenizer.json` that Python's transformers loads too. The options' letters are always tokens.
 * @returns how many tokens it has
 */
export function makeTokenizer(texts: Iterable<string>, folder: string, options: MakeTokenizerOptions): number {
  const frequency = new Map<string, number>();
  for (const text of texts)
    for (const piece of text.match(WORDS) ?? []) frequency.set(piece, (frequency.get(piece) ?? 0) + 1);
  const special = [...SPECIAL[options.kind]];
  const letters = options.letters ?? mmmlu.letters;
  const always = [...letters, ...letters.map((letter) => `▁${letter}`), "▁", "\n"];
  const rest = [...frequency]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([piece]) => piece.replaceAll(" ", "▁"));
  const words = [...new Set([...special, ...always, ...rest])].slice(0, options.size);
  const vocabulary = Object.fromEntries(words.map((word, index) => [word, index]));
  const idOf = (token: string): number => vocabulary[token] as number;
  const added = special.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const [open, close] = options.kind === "t5" ? [undefined, "</s>"] : ["<bos>", undefined];
  const sequence = [
    ...(open ? [{ SpecialToken: { id: open, type_id: 0 } }] : []),
    { Sequence: { id: "A", type_id: 0 } },
    ...(close ? [{ SpecialToken: { id: close, type_id: 0 } }] : []),
  ];
  const mark = (open ?? close) as string;
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    pre_tokenizer: {
      type: "Split",
      pattern: { Regex: WORDS.source.replaceAll(" ", "▁") },
      behavior: "Isolated",
      invert: false,
    },
    post_processor: {
      type: "TemplateProcessing",
      single: sequence,
      pair: sequence,
      special_tokens: { [mark]: { id: mark, ids: [idOf(mark)], tokens: [mark] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [{ type: "Fuse" }, { type: "Replace", pattern: { String: "▁" }, content: " " }],
    },
    model: { type: "WordLevel", vocab: vocabulary, unk_token: "<unk>" },
  };
  mkdirSync(folder, { recursive: true });
  writeWhole(join(folder, "tokenizer.json"), `${JSON.stringify(tokenizer)}\n`);
  const names =
    options.kind === "t5"
      ? { eos_token: "</s>", pad_token: "<pad>", unk_token: "<unk>" }
      : { bos_token: "<bos>", eos_token: "<eos>", pad_token: "<pad>", unk_token: "<unk>" };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...names,
    model_max_length: 512,
    clean_up_tokenization_spaces: false,
    chat_template: CHAT_TEMPLATES[options.kind],
  };
  writeWhole(join(folder, "tokenizer_config.json"), `${JSON.stringify(config, null, 2)}\n`);
  return words.length;
}

/** A word or a sign with the space before it, or a line break. */
const WORDS = /\n| ?[\p{L}\p{M}\p{N}']+| ?[^\s\p{L}\p{M}\p{N}]| +/gu;
