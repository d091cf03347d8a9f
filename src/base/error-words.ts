import { printableName } from "./printable.js";

/** Characters of a server's error that are told. */
const LONGEST = 400;
/** Characters of a body that is no JSON, and of each text in one that is, that are looked at. */
const LOOKED_AT = 4000;

/** Where servers put the words of an error, in this order; what stands beside them as a code is told too. */
const KEYS = ["error", "message", "detail", "msg", "errors", "error_description", "reason", "title", "raw"] as const;

/**
 * What an error body says, in one printable line; undefined where it says nothing. Read are `{"error": {"message",
 * "code"}}` (OpenAI), `{"error": "text"}` (LM Studio, Ollama), `{"message"}` and `{"object": "error", "message"}`
 * (older vLLM), `{"detail"}` as a text or a list (FastAPI), lists of these, and errors in errors.
 */
export function wordsOf(value: unknown): string | undefined {
  const words = gather(value, 0)
    .map((text) => text.slice(0, LOOKED_AT).trim())
    .filter((text, index, all) => text !== "" && all.indexOf(text) === index)
    .join(": ");
  return printableName(words, LONGEST) || undefined;
}

/** As {@link wordsOf}, for a body as it came: JSON, a page, or plain text. */
export function wordsOfBody(body: Buffer): string | undefined {
  const text = body.toString("utf8", 0, 1 << 20);
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object") return wordsOf(parsed);
  } catch {}
  const start = text.slice(0, LOOKED_AT);
  const title = /<title[^>]{0,200}>([^<]{1,300})/i.exec(start)?.[1];
  return printableName(title ?? start.replace(/<[^<>]*>/g, " "), LONGEST) || undefined;
}

function gather(value: unknown, depth: number): string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object" || depth > 4) return [];
  if (Array.isArray(value)) return value.slice(0, 3).flatMap((one) => gather(one, depth + 1));
  const holder = value as Record<string, unknown>;
  const words = KEYS.flatMap((key) => gather(holder[key], depth + 1));
  // Where FastAPI says which key is wrong.
  if (Array.isArray(holder.loc)) words.unshift(holder.loc.slice(0, 6).map(String).join("."));
  const codes = [holder.code, holder.type].filter(
    (code): code is string => typeof code === "string" && /^[\w. -]{1,80}$/.test(code),
  );
  if (words.length > 0 && holder.metadata) words.push(...gather(holder.metadata, depth + 1));
  return words.length > 0 || depth > 0 ? [...words, ...codes.map((code) => `(${code})`)] : [];
}
