import { isUtf8 } from "node:buffer";

/*
 * What tokenizer.json may hold that the tokenizers library does not refuse but ends the process over, without a word,
 * when it is loaded or asked (seen with 0.23.2).
 */

/**
 * Why the library would end the process over these parts of a tokenizer.json; undefined where it would not. Older files
 * have parts without a type.
 */
export function faultOfParts(definition: { normalizer?: unknown; post_processor?: unknown }): string | undefined {
  for (const part of partsOf(definition.post_processor, "processors"))
    if (part.type === "TemplateProcessing" || part.single !== undefined) {
      const missing = tokensOfTemplate(part).find((name) => !isObject(part.special_tokens, name));
      if (missing !== undefined)
        return `post_processor: special_tokens lacks ${JSON.stringify(missing)}, which the template names`;
    }
  for (const part of partsOf(definition.normalizer, "normalizers"))
    if (part.type === "Precompiled" || part.precompiled_charsmap !== undefined) {
      const fault = faultOfCharsMap(part.precompiled_charsmap);
      if (fault) return `normalizer: its precompiled_charsmap ${fault}`;
    }
  return undefined;
}

type Part = Readonly<Record<string, unknown>>;

const isPart = (value: unknown): value is Part => typeof value === "object" && value !== null;

const isObject = (value: unknown, name: string): boolean => isPart(value) && Object.hasOwn(value, name);

/** A part and, of sequences, those in it. */
function* partsOf(value: unknown, list: string): Generator<Part> {
  const open = [value];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (!isPart(part)) continue;
    yield part;
    const within = part[list];
    if (Array.isArray(within)) for (const one of within) open.push(one);
  }
}

/** The special tokens that a template names, as `{"SpecialToken": {"id": "<s>"}}` or as text. */
function tokensOfTemplate({ single, pair }: Part): string[] {
  return [single, pair].flat().flatMap((piece) => {
    const token = isPart(piece) ? piece.SpecialToken : undefined;
    return isPart(token) && typeof token.id === "string" ? [token.id] : [];
  });
}

/**
 * A map of SentencePiece's: the size of a double array in bytes, the array (https://github.com/s-yata/darts-clone), and
 * the texts that its values point into. All that can be reached must lie within.
 */
function faultOfCharsMap(text: unknown): string | undefined {
  if (typeof text !== "string") return "is no text";
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) return "is not base64";
  const size = bytes.length < 4 ? Number.NaN : bytes.readUInt32LE(0);
  if (!(size >= 4 && size % 4 === 0 && 4 + size <= bytes.length)) return "is cut short";
  const units = new Uint32Array(bytes.buffer.slice(bytes.byteOffset + 4, bytes.byteOffset + 4 + size));
  const texts = bytes.subarray(4 + size);
  if (!isUtf8(texts)) return "holds texts that are not UTF-8";
  const outside = "points outside of itself";
  const seen = new Uint8Array(units.length);
  const open = [offsetOf(units[0]!)];
  for (let base = open.pop(); base !== undefined; base = open.pop())
    for (let byte = 1; byte < 256; byte++) {
      const at = base ^ byte;
      const unit = units[at];
      if (at < 0 || unit === undefined) return outside;
      if ((unit & 0x8000_00ff) >>> 0 !== byte || seen[at]) continue;
      seen[at] = 1;
      const next = at ^ offsetOf(unit);
      if ((unit & 0x100) !== 0) {
        const value = (units[next] ?? Number.NaN) & 0x7fff_ffff;
        if (!(next >= 0 && next < units.length && value <= texts.length && isBoundary(texts, value))) return outside;
      }
      open.push(next);
    }
  return undefined;
}

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

/** Whether a character begins there. */
const isBoundary = (texts: Uint8Array, at: number): boolean => at === texts.length || (texts[at]! & 0xc0) !== 0x80;
