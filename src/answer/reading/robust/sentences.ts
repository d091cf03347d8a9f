import { BIT } from "./lexicon.js";
import type { Token } from "./tokens.js";

export const REACH = 16;

export const ENDS = ".!?。！？।॥؟;؛";

export const CLAUSES = `${ENDS},،、:–—`;

export const has = (token: Token | undefined, bits: number): boolean =>
  token !== undefined && (token.roles & bits) !== 0;

export const isMark = (token: Token | undefined, marks: string): boolean =>
  token?.kind === "mark" && marks.includes(token.text);

/** A letter that begins a line and has a mark of lists behind it: "A) …", "A: …". */
export const isListed = (tokens: readonly Token[], at: number): boolean => {
  let before = at - 1;
  while (before >= 0 && tokens[before]!.kind === "mark") before--;
  return (before < 0 || tokens[before]!.kind === "newline") && isMark(tokens[at + 1], ").:、]-–—");
};

/** Whether a clause or a bracket ends behind a letter. */
export function isClosed(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at + 1];
  return (
    next === undefined || next.kind === "newline" || next.kind === "mark" || (has(next, BIT.link) && !next.blankBefore)
  );
}

/** Whether the sentence that a letter stands in is a question. */
export function asks(tokens: readonly Token[], from: number): boolean {
  for (let at = from + 1; at < tokens.length && at < from + 40; at++) {
    const token = tokens[at]!;
    if (isMark(token, "?？؟")) return true;
    if (token.kind === "newline" || (isMark(token, ENDS) && token.blankAfter)) return false;
  }
  return false;
}

/** Whether a letter is a word: the article "A" or "a", Italian's and Portuguese's "E", English's "I". */
export function isArticle(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at]!;
  if (token.kind !== "letter" || !/^[AEIaei]$/.test(token.text)) return false;
  const next = tokens[at + 1];
  // Portuguese: "a C".
  if (token.text === "a" && next?.kind === "letter" && next.capital && next.blankBefore && !next.glued) return true;
  if (next === undefined || next.kind !== "word" || !next.blankBefore) return false;
  const latin = /^[\p{Script=Latin}'’]+/u.test(next.text);
  if (!latin) return false;
  if (next.roles & (BIT.answer | BIT.right | BIT.option | BIT.final)) return true;
  if (next.roles !== 0) return /^[ei]$/i.test(token.text) && (next.roles & (BIT.and | BIT.or)) === 0;
  return /^[aei]$/.test(token.text) || /^\p{Ll}/u.test(next.text);
}

/**
 * Whether what a text says at a place is supposed, as in "suppose the answer is A": only words that speak of answers
 * stand between the two.
 */
export function isSupposed(tokens: readonly Token[], from: number): boolean {
  for (let at = from; at >= 0 && at > from - 8; at--) {
    const token = tokens[at]!;
    if (has(token, BIT.if)) return true;
    if (isMark(token, ",،、") && has(tokens[at - 1], BIT.if)) return true;
    if (token.kind === "newline" || (token.kind === "mark" && !"\"'«»“”(".includes(token.text))) return false;
    if (token.kind === "word" && token.roles === 0) return false;
  }
  return false;
}

export function linesOf(tokens: readonly Token[]): number[][] {
  const lines: number[][] = [[]];
  for (const [at, token] of tokens.entries()) {
    if (token.kind === "newline") lines.push([]);
    else lines.at(-1)!.push(at);
  }
  return lines.filter((line) => line.some((at) => tokens[at]!.kind !== "mark"));
}

export const isUnknownWord = (token: Token | undefined): boolean =>
  token?.kind === "word" && token.roles === 0 && token.blankBefore && token.text !== "";
