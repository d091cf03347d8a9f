/**
 * Text from outside as one line for a terminal: what a terminal would act on (escapes, line breaks, marks that turn the direction
 * of writing) is written as its code, and what is past `most` characters is left out.
 */
export function plainText(text: string, most = 500): string {
  const line = text.length > most ? `${text.slice(0, most)}…` : text;
  return line.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
