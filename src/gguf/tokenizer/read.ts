import { UserError } from "../../base/errors.js";
import type { MetadataReader } from "../metadata.js";
import { PRE_TOKENIZERS, preTokenizerJson } from "./pre-tokenizers.js";
import { mergesOfScores } from "./scores.js";

/** Types of tokens, as `tokenizer.ggml.token_type` has them. */
export const TOKEN_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/**
 * Tokens that end a reply or a turn, which llama.cpp knows by name and takes as control tokens whatever type the file
 * gives them.
 * Source: `special_eog_ids` in llama.cpp's src/llama-vocab.cpp, without Harmony's, of models that are not read, and
 * without `</s>` and `<eos>`: Gemma has `</s>` as a tag of HTML, and where they end texts the file names them by id
 */
export const ENDS_BY_NAME: readonly string[] = [
  ...["<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>"],
  ...["<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<end_of_utterance>", "<turn|>"],
];

/** A tokenizer in Hugging Face's files. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** tokenizer_config.json, with the chat template where the file has one. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What opens and closes texts. */
interface Around {
  readonly begin?: number;
  readonly end?: number;
}

interface Kind {
  readonly model: Record<string, unknown>;
  readonly normalizer: Record<string, unknown> | null;
  readonly preTokenizer: Record<string, unknown> | null;
  readonly decoder: Record<string, unknown>;
  /** Where the file does not say it. */
  readonly defaults: {
    readonly addsBegin: boolean;
    readonly begin?: number;
    readonly end?: number;
    readonly unknown?: number;
  };
}

/**
 * The tokenizer inside a GGUF file, as Hugging Face's files have it: SentencePiece's BPE by scores (`llama`) or
 * byte-level BPE (`gpt2`).
 * @throws {UserError} where it is of another model or pre-tokenizer, which gets named, or contradicts itself
 */
export function readTokenizer(metadata: MetadataReader): TokenizerFiles {
  const { path } = metadata;
  const model = metadata.text("tokenizer.ggml.model");
  const stated = metadata.optionalNumbers("tokenizer.ggml.token_type");
  const given = metadata.texts("tokenizer.ggml.tokens");
  if (stated && stated.length !== given.length)
    throw cannot(path, `it has ${given.length} tokens and the types of ${stated.length}`);
  const types = given.map((token, id) =>
    ENDS_BY_NAME.includes(token) ? TOKEN_TYPES.control : (stated?.[id] ?? TOKEN_TYPES.normal),
  );
  const tokens =
    model === "llama" ? given.map((token) => (/^ +$/.test(token) ? "▁".repeat(token.length) : token)) : given;
  const vocabulary = new Map(tokens.map((token, id) => [token, id]));
  if (vocabulary.size !== tokens.length) {
    const seen = new Set<string>();
    const twice = tokens.find((token) => seen.has(token) || !seen.add(token));
    throw cannot(path, `the token ${JSON.stringify(twice)} stands in it twice`);
  }
  const kind =
    model === "llama"
      ? byScores(metadata, tokens, vocabulary, types)
      : model === "gpt2"
        ? byteLevel(metadata, vocabulary)
        : undefined;
  if (!kind)
    throw cannot(
      path,
      `it is of the model ${JSON.stringify(model)}; supported are llama (SentencePiece) and gpt2 (byte-level BPE)`,
    );
  const idOf = (name: string, fallback?: number): number | undefined => {
    const id = metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`) ?? fallback;
    if (id !== undefined && tokens[id] === undefined)
      throw cannot(path, `its ${name} token is ${id}, and it has ${tokens.length}`);
    return id;
  };
  const { defaults } = kind;
  const [begin, end] = [idOf("bos", defaults.begin), idOf("eos", defaults.end)];
  const [unknown, padding] = [idOf("unknown", defaults.unknown), idOf("padding")];
  const adds = {
    begin: metadata.optionalFlag("tokenizer.ggml.add_bos_token") ?? defaults.addsBegin,
    end: metadata.optionalFlag("tokenizer.ggml.add_eos_token") ?? false,
  };
  if (adds.begin && begin === undefined) throw cannot(path, "it opens texts with a token that it does not name");
  if (adds.end && end === undefined) throw cannot(path, "it closes texts with a token that it does not name");
  const named = (id: number | undefined): string | undefined => (id === undefined ? undefined : tokens[id]);
  const template = metadata.optionalText("tokenizer.chat_template");
  const around = { begin: adds.begin ? begin : undefined, end: adds.end ? end : undefined };
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: addedTokens(tokens, types),
      normalizer: kind.normalizer,
      pre_tokenizer: kind.preTokenizer,
      post_processor: model === "gpt2" ? withBytes(templateOf(around, tokens)) : templateOf(around, tokens),
      decoder: kind.decoder,
      model: { ...kind.model, ...(model === "llama" ? { unk_token: named(unknown) ?? null } : {}) },
    },
    config: withoutMissing({
      tokenizer_class: "PreTrainedTokenizerFast",
      bos_token: named(begin),
      eos_token: named(end),
      unk_token: named(unknown),
      pad_token: named(padding),
      add_bos_token: adds.begin,
      add_eos_token: adds.end,
      clean_up_tokenization_spaces: false,
      chat_template: template,
    }),
  };
}

const cannot = (path: string, why: string): UserError =>
  new UserError(`${path}: its tokenizer cannot be read: ${why}`, {
    hint: "Take the model's folder in Hugging Face's format instead, or another GGUF file of it.",
  });

const withoutMissing = (json: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));

/** Runs of blanks are merged like other tokens, before all others: a text's blanks are ▁ by then. */
const isBlank = (token: string): boolean => /^▁+$/.test(token);

const ADDED: ReadonlySet<number> = new Set([TOKEN_TYPES.unknown, TOKEN_TYPES.control, TOKEN_TYPES.userDefined]);

function addedTokens(tokens: readonly string[], types: readonly number[]): Record<string, unknown>[] {
  return tokens.flatMap((content, id) =>
    ADDED.has(types[id]!) && !isBlank(content)
      ? [
          {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: types[id] !== TOKEN_TYPES.userDefined,
          },
        ]
      : [],
  );
}

/** Puts a token before or after every text; null where there is nothing to put. */
function templateOf({ begin, end }: Around, tokens: readonly string[]): Record<string, unknown> | null {
  if (begin === undefined && end === undefined) return null;
  const special = (id: number | undefined, type: number): Record<string, unknown>[] =>
    id === undefined ? [] : [{ SpecialToken: { id: tokens[id], type_id: type } }];
  const one = (id: string, type: number): Record<string, unknown>[] => [
    ...special(begin, type),
    { Sequence: { id, type_id: type } },
    ...special(end, type),
  ];
  const known = [begin, end].filter((id) => id !== undefined);
  return {
    type: "TemplateProcessing",
    single: one("A", 0),
    pair: [...one("A", 0), ...one("B", 1)],
    special_tokens: Object.fromEntries(
      known.map((id) => [tokens[id], { id: tokens[id], ids: [id], tokens: [tokens[id]] }]),
    ),
  };
}

function withBytes(template: Record<string, unknown> | null): Record<string, unknown> {
  const bytes = { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true };
  return template ? { type: "Sequence", processors: [bytes, template] } : bytes;
}

/** SentencePiece's BPE: of two neighbours that make a token, those are merged whose token has the highest score. */
function byScores(
  metadata: MetadataReader,
  tokens: readonly string[],
  vocabulary: ReadonlyMap<string, number>,
  types: readonly number[],
): Kind {
  const { path } = metadata;
  const scores = metadata.optionalNumbers("tokenizer.ggml.scores");
  if (!scores || scores.length !== tokens.length)
    throw cannot(path, `it has ${tokens.length} tokens and the scores of ${scores?.length ?? 0}`);
  if (metadata.has("tokenizer.ggml.precompiled_charsmap"))
    throw cannot(path, "it normalizes texts by a table of its own");
  const prefix = metadata.optionalFlag("tokenizer.ggml.add_space_prefix") ?? true;
  // llama.cpp opens the text behind each run of such blanks with one more.
  if (prefix && tokens.some((token, id) => types[id] === TOKEN_TYPES.userDefined && isBlank(token)))
    throw cannot(path, "it opens texts with a blank (add_space_prefix), and has runs of blanks as tokens of a user");
  const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const decoders = [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
  ];
  const strip = prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : [];
  return {
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: vocabulary.has("<0x00>"),
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary),
      merges: mergesOfScores(vocabulary, (id) => (types[id] === TOKEN_TYPES.userDefined ? Infinity : scores[id]!)),
    },
    normalizer: prefix ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, replace] } : replace,
    preTokenizer: null,
    decoder: { type: "Sequence", decoders: [...decoders, ...strip] },
    // llama.cpp's, of a file that names none.
    defaults: { addsBegin: true, begin: 1, end: 2, unknown: 0 },
  };
}

function byteLevel(metadata: MetadataReader, vocabulary: ReadonlyMap<string, number>): Kind {
  const { path } = metadata;
  const name = metadata.optionalText("tokenizer.ggml.pre") ?? "default";
  const pre = PRE_TOKENIZERS.find(({ names }) => names.includes(name));
  if (!pre)
    throw cannot(
      path,
      `it cuts texts by ${JSON.stringify(name)}; supported are ` +
        `${PRE_TOKENIZERS.flatMap(({ names }) => names).join(", ")}`,
    );
  const merges = metadata.texts("tokenizer.ggml.merges").map((merge) => {
    const at = merge.indexOf(" ", 1);
    const [left, right] = [merge.slice(0, at), merge.slice(at + 1)];
    if (at < 1 || right === "") throw cannot(path, `the merge ${JSON.stringify(merge)} is not of two tokens`);
    for (const token of [left, right, left + right])
      if (!vocabulary.has(token))
        throw cannot(path, `the merge ${JSON.stringify(merge)} is of tokens that it does not have`);
    return [left, right];
  });
  return {
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoreMerges,
      vocab: Object.fromEntries(vocabulary),
      merges,
    },
    normalizer: pre.normalizer ? { type: pre.normalizer } : null,
    preTokenizer: preTokenizerJson(pre),
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    defaults: { addsBegin: pre.addsBegin },
  };
}
