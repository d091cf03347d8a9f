import { pairPieces } from "./pair-pieces.js";
import type { Tokenizer } from "./tokenizer.js";

/** The pieces that GPT-2's byte-level BPE merges within: a text's tokens are its pieces' tokens. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Texts on which the quick way is held against the library before it is believed. */
const CHECKED = 2000;

/**
 * Numbers of tokens without special tokens, quick where the tokenizer allows it: for byte-level BPE without a
 * normalizer, and BPE over whole texts as Gemma's, each distinct piece is tokenized by the library once, and a text's
 * count is the sum over its pieces. The result is checked against the library on texts spread over all; where it
 * differs, or the tokenizer is of another kind, the library counts everything.
 */
export async function countTokens(
  tokenizer: Tokenizer,
  texts: readonly string[],
  told?: (done: number) => void,
): Promise<Int32Array> {
  if (texts.length < 2 * CHECKED) return tokenizer.count(texts, false, told);
  const piecesOf = isByteLevel(tokenizer) ? byteLevelPieces : pairPieces(tokenizer);
  if (piecesOf === undefined) return tokenizer.count(texts, false, told);
  const counts = await countByPieces(tokenizer, piecesOf, texts, told);
  const step = Math.max(1, Math.floor(texts.length / CHECKED));
  const places = Array.from({ length: Math.floor(texts.length / step) }, (_, index) => index * step);
  const checked = await tokenizer.count(
    places.map((place) => texts[place] as string),
    false,
  );
  return places.every((place, index) => counts[place] === checked[index])
    ? counts
    : tokenizer.count(texts, false, told);
}

const byteLevelPieces = (text: string): readonly string[] => text.match(PIECES) ?? [];

function isByteLevel(tokenizer: Tokenizer): boolean {
  const { pre_tokenizer: pieces, normalizer, model } = tokenizer.definition;
  return (
    pieces?.type === "ByteLevel" &&
    pieces.add_prefix_space === false &&
    pieces.use_regex !== false &&
    !normalizer &&
    model?.type === "BPE"
  );
}

/** Texts gone through before the new pieces among them are tokenized. */
const WINDOW = 8192;

/** Characters of a piece that is remembered: longer ones hardly come twice. */
const REMEMBERED = 64;

const caches = new WeakMap<Tokenizer, Map<string, number>>();

async function countByPieces(
  tokenizer: Tokenizer,
  piecesOf: (text: string) => readonly string[],
  texts: readonly string[],
  told?: (done: number) => void,
): Promise<Int32Array> {
  const known = caches.get(tokenizer) ?? new Map<string, number>();
  caches.set(tokenizer, known);
  const added = addedTokens(tokenizer);
  const counts = new Int32Array(texts.length);
  for (let start = 0; start < texts.length; start += WINDOW) {
    const end = Math.min(texts.length, start + WINDOW);
    // Texts that wait for pieces which are being met for the first time.
    const open: [place: number, pieces: string[]][] = [];
    const fresh = new Set<string>();
    const byLibrary: number[] = [];
    for (let place = start; place < end; place++) {
      const text = texts[place] as string;
      const parts = added?.plain ? text.split(added.pattern) : [text];
      // An added token that takes blanks along, or is looked for in the changed text: the library knows.
      if (added && !added.plain && added.pattern.test(text)) {
        byLibrary.push(place);
        continue;
      }
      // Any other is one token, and parts the text.
      let sum = parts.length - 1;
      let missing: string[] | undefined;
      for (const part of parts)
        for (const piece of piecesOf(part)) {
          const count = known.get(piece);
          if (count !== undefined) sum += count;
          else {
            fresh.add(piece);
            (missing ??= []).push(piece);
          }
        }
      counts[place] = sum;
      if (missing) open.push([place, missing]);
    }
    const pieces = [...fresh];
    (await tokenizer.count(pieces, false)).forEach((count, index) => known.set(detach(pieces[index] as string), count));
    for (const [place, missing] of open)
      for (const piece of missing) counts[place] = (counts[place] as number) + (known.get(piece) as number);
    for (const piece of pieces) if (piece.length > REMEMBERED) known.delete(piece);
    (
      await tokenizer.count(
        byLibrary.map((place) => texts[place] as string),
        false,
      )
    ).forEach((count, index) => (counts[byLibrary[index] as number] = count));
    told?.(end);
  }
  return counts;
}

/**
 * Finds added tokens in a text, the longest first as the library does, written as they are or with their spaces as
 * \u2581; undefined where there is none.
 */
function addedTokens({ definition }: Tokenizer): { pattern: RegExp; plain: boolean } | undefined {
  const tokens = (definition.added_tokens ?? []).filter(({ content }) => content);
  if (tokens.length === 0) return undefined;
  const plain = tokens.every((one) =>
    [one.single_word, one.lstrip, one.rstrip, one.normalized].every((flag) => flag === false),
  );
  const forms = tokens
    .map(({ content }) => content)
    .sort((a, b) => b.length - a.length)
    .map((token) => token.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"))
    .map((token) => (plain ? token : token.replaceAll(/[ \u2581]/g, "[ \u2581]")));
  return { pattern: new RegExp(forms.join("|"), "u"), plain };
}

/** A copy that does not keep the whole text alive, as a slice of it would. */
const detach = (piece: string): string => Buffer.from(piece, "utf16le").toString("utf16le");
