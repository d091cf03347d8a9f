/*
 * Trimming by a scan. `/[x]+$/` looks at every run of x in a text as if it were the last, each from each of its
 * characters on: a megabyte of blanks before a word takes it minutes.
 */

/** A text without the characters of a set (each one UTF-16 unit) at its end. */
export function withoutTrailing(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** A text without the characters of a set (each one UTF-16 unit) at its beginning and its end. */
export function trimmedOf(text: string, characters: string): string {
  let start = 0;
  while (start < text.length && characters.includes(text.charAt(start))) start++;
  return withoutTrailing(text.slice(start), characters);
}
