import type { TokenizerDefinition } from "./tokenizer.js";

/** Whether tokens are written in bytes, each as a character (GPT-2's alphabet). */
export function isByteLevel({ decoder, pre_tokenizer }: TokenizerDefinition): boolean {
  const decoders = decoder?.decoders ?? (decoder ? [decoder] : [pre_tokenizer]);
  return decoders.some((one) => one?.type === "ByteLevel");
}

let bytes: Map<string, number> | undefined;

/** The byte of each character of GPT-2's alphabet: printable ones are themselves, the others follow from U+0100 on. */
function byteOf(): Map<string, number> {
  if (bytes) return bytes;
  bytes = new Map();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    bytes.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return bytes;
}

/** What a byte-level token stands for; � where its bytes are no whole character. */
export function byteLevelText(token: string): string {
  const alphabet = byteOf();
  const values = Array.from(token, (character) => alphabet.get(character));
  // Added tokens are written as they are.
  if (values.includes(undefined)) return token;
  return new TextDecoder().decode(Uint8Array.from(values as number[]));
}
