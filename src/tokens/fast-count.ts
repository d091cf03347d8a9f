import type { Tokenizer } from "./tokenizer.js";

/** The pieces that GPT-2's byte-level BPE merges within: a text's tokens are its pieces' tokens. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Texts on which the quick way is held against the library before it is believed. */
const CHECKED = 2000;

/**
 * Numbers of tokens without special tokens, quick where the tokenizer allows it: for byte-level BPE without a
 * normalizer each distinct piece is tokenized by the library once, and a text's count is the sum over its pieces. The
 * result is checked against the library on texts spread over all; where it differs, or the tokenizer is of another
 * kind, the library counts everything.
 */
export async function countTokens(
  tokenizer: Tokenizer,
  texts: readonly string[],
  told?: (done: number) => void,
): Promise<Int32Array> {
  if (!isByteLevel(tokenizer) || texts.length < 2 * CHECKED) return tokenizer.count(texts, false, told);
  const counts = await countByPieces(tokenizer, texts, told);
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

const caches = new WeakMap<Tokenizer, Map<string, number>>();

async function countByPieces(
  tokenizer: Tokenizer,
  texts: readonly string[],
  told?: (done: number) => void,
): Promise<Int32Array> {
  const known = caches.get(tokenizer) ?? new Map<string, number>();
  caches.set(tokenizer, known);
  const added = (tokenizer.definition.added_tokens ?? []).map((token) => token.content);
  const counts = new Int32Array(texts.length);
  for (let start = 0; start < texts.length; start += WINDOW) {
    const end = Math.min(texts.length, start + WINDOW);
    // Texts that wait for pieces which are being met for the first time.
    const open: [place: number, pieces: string[]][] = [];
    const fresh = new Set<string>();
    const byLibrary: number[] = [];
    for (let place = start; place < end; place++) {
      const text = texts[place] as string;
      // An added token in the text is one token, whatever the pieces say.
      if (text.includes("<") && added.some((token) => text.includes(token))) {
        byLibrary.push(place);
        continue;
      }
      let sum = 0;
      let missing: string[] | undefined;
      for (const piece of text.match(PIECES) ?? []) {
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

/** A copy that does not keep the whole text alive, as a slice of it would. */
const detach = (piece: string): string => Buffer.from(piece, "utf8").toString("utf8");
