import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { checkedAs } from "../../base/json.js";
import type { WrittenValue } from "../write.js";
import { PRE_TOKENIZERS, preTokenizerJson } from "./pre-tokenizers.js";
import { TOKEN_TYPES } from "./read.js";
import { splitsOf } from "./scores.js";

/** A tokenizer to write, in Hugging Face's terms. */
export interface TokenizerToWrite {
  /** tokenizer.json's path, for messages. */
  readonly path: string;
  /** tokenizer.json */
  readonly json: unknown;
  /** Rows of the model's embedding: as many tokens are written. */
  readonly vocabularySize: number;
  readonly begin?: number;
  readonly end?: number;
  readonly turnEnd?: number;
  readonly padding?: number;
  /** What a text is opened and closed with, as the tokenizer does it. */
  readonly adds: { readonly begin: boolean; readonly end: boolean };
  readonly chatTemplate?: string;
}

const tokenId = z
  .int()
  .nonnegative()
  .max(2 ** 24);
const schema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: tokenId, content: z.string(), special: z.boolean() })).default([]),
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  pre_tokenizer: z.looseObject({ type: z.string() }).nullish(),
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.unknown(),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).optional(),
    byte_fallback: z.boolean().nullish(),
    ignore_merges: z.boolean().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    unk_token: z.string().nullish(),
  }),
});
const vocabularySchema = z.record(z.string(), tokenId);
type Json = z.infer<typeof schema>;

interface Parts {
  readonly json: Json;
  readonly path: string;
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
  /** Contents of added tokens, with whether they are special. */
  readonly added: ReadonlyMap<string, boolean>;
  /** Whether runs of blanks are merged before all else, as SentencePiece does with tokens that a user defined. */
  readonly blanksFirst: boolean;
}

const cannot = (path: string, why: string): UserError =>
  new UserError(`${path}: the tokenizer cannot be carried over into GGUF: ${why}`, {
    hint:
      "GGUF has SentencePiece's BPE with byte fallback (Gemma, Llama 2) and byte-level BPE as Llama 3, Qwen and " +
      "GPT-2 have it.",
  });

/**
 * A tokenizer's keys of metadata, as llama.cpp's convert script has them.
 * @throws {UserError} where GGUF cannot have it: another model, another way of cutting texts, merges that scores
 * cannot tell
 */
export function tokenizerMetadata(tokenizer: TokenizerToWrite): Map<string, WrittenValue> {
  const { path, vocabularySize } = tokenizer;
  const json = checkedAs(tokenizer.json, schema, path);
  if (json.model.type !== undefined && json.model.type !== "BPE")
    throw cannot(path, `its model is ${json.model.type}, not BPE`);
  const vocabulary = new Map(Object.entries(checkedAs(json.model.vocab, vocabularySchema, path)));
  for (const { content, id } of json.added_tokens) vocabulary.set(content, id);
  const merges = (json.model.merges ?? []).map((merge) => (typeof merge === "string" ? pairOf(merge, path) : merge));
  const added = new Map(json.added_tokens.map(({ content, special }) => [content, special]));
  const others = merges.findIndex(([left, right]) => !added.has(left + right) && !BLANKS.test(left + right));
  const lastBlanks = merges.findLastIndex(([left, right]) => BLANKS.test(left + right));
  const parts: Parts = {
    json,
    path,
    vocabulary,
    merges,
    added,
    blanksFirst: !opensWithBlank(json) && (others < 0 || lastBlanks < others),
  };
  if (json.model.continuing_subword_prefix || json.model.end_of_word_suffix)
    throw cannot(path, "its parts of words carry marks");
  const tokens: string[] = [];
  for (const [token, id] of vocabulary) {
    if (id >= vocabularySize) throw cannot(path, `its token ${id} is beyond the model's ${vocabularySize}`);
    if (tokens[id] !== undefined) throw cannot(path, `two tokens have the id ${id}`);
    tokens[id] = token;
  }
  const isBytes = json.model.byte_fallback === true;
  const types = Array.from({ length: vocabularySize }, (_, id) => typeOf(tokens[id], parts, isBytes));
  const own = isBytes ? sentencePiece(parts, tokens, types) : byteLevel(parts);
  const written = Array.from({ length: vocabularySize }, (_, id) => tokens[id] ?? `[PAD${id}]`).map((token, id) =>
    isBytes && types[id] === TOKEN_TYPES.userDefined ? token.replaceAll("▁", " ") : token,
  );
  const texts = (value: readonly string[]): WrittenValue => ({ type: "array", of: "string", value });
  const ids = { bos: tokenizer.begin, eos: tokenizer.end, eot: tokenizer.turnEnd, padding: tokenizer.padding };
  const unknown = json.model.unk_token ? vocabulary.get(json.model.unk_token) : undefined;
  const out = new Map<string, WrittenValue>([
    ["tokenizer.ggml.model", { type: "string", value: isBytes ? "llama" : "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: own.pre }],
    ["tokenizer.ggml.tokens", texts(written)],
  ]);
  if (own.scores) out.set("tokenizer.ggml.scores", { type: "array", of: "float32", value: own.scores });
  out.set("tokenizer.ggml.token_type", { type: "array", of: "int32", value: types });
  if (!isBytes) out.set("tokenizer.ggml.merges", texts(parts.merges.map(([left, right]) => `${left} ${right}`)));
  for (const [name, id] of Object.entries({ ...ids, unknown }))
    if (id !== undefined) out.set(`tokenizer.ggml.${name}_token_id`, { type: "uint32", value: id });
  out.set("tokenizer.ggml.add_bos_token", { type: "bool", value: tokenizer.adds.begin });
  out.set("tokenizer.ggml.add_eos_token", { type: "bool", value: tokenizer.adds.end });
  if (own.spacePrefix !== undefined)
    out.set("tokenizer.ggml.add_space_prefix", { type: "bool", value: own.spacePrefix });
  if (tokenizer.chatTemplate) out.set("tokenizer.chat_template", { type: "string", value: tokenizer.chatTemplate });
  return out;
}

function pairOf(merge: string, path: string): readonly [string, string] {
  const at = merge.indexOf(" ", 1);
  if (at < 1 || at === merge.length - 1) throw cannot(path, `the merge ${JSON.stringify(merge)} is not of two tokens`);
  return [merge.slice(0, at), merge.slice(at + 1)];
}

const BLANKS = /^▁{2,}$/;

function typeOf(token: string | undefined, { json, added, blanksFirst }: Parts, bytes: boolean): number {
  if (token === undefined) return TOKEN_TYPES.unused;
  if (token === json.model.unk_token) return TOKEN_TYPES.unknown;
  const special = added.get(token);
  if (special !== undefined) return special ? TOKEN_TYPES.control : TOKEN_TYPES.userDefined;
  if (bytes && blanksFirst && BLANKS.test(token)) return TOKEN_TYPES.userDefined;
  if (bytes && /^<0x[0-9A-F]{2}>$/.test(token)) return TOKEN_TYPES.byte;
  return TOKEN_TYPES.normal;
}

/** Score of tokens that no merge makes. */
const NO_SCORE = -1000;

/** SentencePiece's BPE: its merges must be what scores give, since scores are all that GGUF has. */
function sentencePiece(
  { json, path, vocabulary, merges, added, blanksFirst }: Parts,
  tokens: readonly (string | undefined)[],
  types: readonly number[],
): { pre: string; scores: number[]; spacePrefix: boolean } {
  const spacePrefix = spacePrefixOf(json, path);
  for (let byte = 0; byte < 256; byte++) {
    const token = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    // Gemma 2 has the tab itself instead of its byte.
    const itself = byte < 128 && vocabulary.has(String.fromCharCode(byte));
    if (!vocabulary.has(token) && !itself) throw cannot(path, `it has no ${token} for a byte that no token has`);
  }
  const isAside = (token: string): boolean => added.has(token) || (blanksFirst && BLANKS.test(token));
  const rank = new Map<string, number>();
  const known = new Set<string>();
  let last = "";
  for (const [left, right] of merges) {
    const token = left + right;
    known.add(`${left} ${right}`);
    if (isAside(token) || token === last) continue;
    if (rank.has(token)) throw cannot(path, `merges of ${JSON.stringify(token)} have others between them`);
    rank.set(token, rank.size);
    last = token;
  }
  for (const token of vocabulary.keys()) {
    if (isAside(token)) continue;
    for (const [left, right] of splitsOf(token, (part) => vocabulary.has(part)))
      if (!known.has(`${left} ${right}`))
        throw cannot(
          path,
          `it does not merge ${JSON.stringify(left)} and ${JSON.stringify(right)}, whose scores would: ` +
            `its merges are fewer than its tokens allow`,
        );
  }
  const scores = tokens.map((token, id) => {
    if (token === undefined || isAside(token) || types[id] === TOKEN_TYPES.unknown) return NO_SCORE;
    if (types[id] === TOKEN_TYPES.byte) return 0;
    return -(rank.get(token) ?? rank.size + id);
  });
  return { pre: "default", scores: types.map((_, id) => scores[id] ?? NO_SCORE), spacePrefix };
}

const opensWithBlank = (json: Json): boolean =>
  /"Prepend"|"prepend_scheme":"(always|first)"/.test(JSON.stringify([json.normalizer, json.pre_tokenizer]));

const REPLACE = { type: "Replace", pattern: { String: " " }, content: "▁" };
const PREPEND = { type: "Prepend", prepend: "▁" };

/**
 * Whether a text is opened by a blank. @throws {UserError} where its normalizer or pre-tokenizer does something else
 */
function spacePrefixOf({ normalizer, pre_tokenizer: cuts }: Json, path: string): boolean {
  const metaspace = (first: string): Record<string, unknown>[] => [
    { type: "Metaspace", replacement: "▁", prepend_scheme: first, split: false },
    { type: "Metaspace", replacement: "▁", add_prefix_space: first !== "never", prepend_scheme: first, split: false },
  ];
  const split = { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false };
  if (same(normalizer, REPLACE) && (!cuts || same(cuts, split))) return false;
  if (same(normalizer, { type: "Sequence", normalizers: [PREPEND, REPLACE] }) && !cuts) return true;
  if (!normalizer && cuts) {
    if (metaspace("never").some((one) => same(cuts, one))) return false;
    if (["always", "first"].some((first) => metaspace(first).some((one) => same(cuts, one)))) return true;
  }
  throw cannot(path, "it normalizes or cuts texts in another way than SentencePiece's BPE");
}

function byteLevel({ json, path }: Parts): { pre: string; scores?: number[]; spacePrefix?: boolean } {
  const cutsAs = (one: unknown): boolean => same(essential(json.pre_tokenizer), essential(one));
  const pre = PRE_TOKENIZERS.find(
    (known) =>
      cutsAs(preTokenizerJson(known)) &&
      (json.model.ignore_merges ?? false) === known.ignoreMerges &&
      (!json.normalizer || json.normalizer.type === known.normalizer),
  );
  if (!pre)
    throw cannot(
      path,
      "it cuts or normalizes texts in a way that llama.cpp has no name for, or is not known here by that name",
    );
  return { pre: pre.names[0]! };
}

/** A pre-tokenizer without what changes offsets alone. */
function essential(json: unknown): unknown {
  return JSON.parse(
    JSON.stringify(json ?? null, (key, value: unknown) => (key === "trim_offsets" ? undefined : value)),
  );
}

/** Whether two JSON values are the same, whatever the order of their keys. */
function same(a: unknown, b: unknown): boolean {
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(one);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
  );
}
