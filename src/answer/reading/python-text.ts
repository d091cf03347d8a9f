import { trimmedOf } from "../../base/trim.js";

/*
 * What the published readings' Python does with text, where JavaScript differs: its `\w` and `\b` know all of Unicode
 * ("é" is a word character, a combining accent is not), and its `strip` and `splitlines` have lists of their own.
 */

/** Python's `\w`: agrees on every code point that Python 3.11's Unicode has assigned. */
const WORD = "[\\p{L}\\p{N}_]";

/** The letters of so many options as a class of characters: `[A-D]` of four. */
export const capitals = (labels: readonly string[]): string => `[A-${labels.at(-1)}]`;

/**
 * All letters of so many options (A–D of four) of either case between Python's `\b`s: an expression with a place of its
 * own.
 */
export const standaloneLetters = (labels: readonly string[]): RegExp =>
  new RegExp(`(?<!${WORD})(?:${capitals(labels)}|${capitals(labels).toLowerCase()})(?!${WORD})`, "gu");

/** A capital of so many options at the start, before Python's `\b`. */
export const leadingCapital = (labels: readonly string[]): RegExp => new RegExp(`^${capitals(labels)}(?!${WORD})`, "u");

/** Python's white space: `\\s` of its expressions, and what its `strip` takes off. */
export const PYTHON_SPACE =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2028\u2029\u202f\u205f\u3000";

/** Python's `str.strip()`. */
export const strip = (text: string): string => trimmedOf(text, PYTHON_SPACE);

/** Python's `str.splitlines()`, but for an empty line at the end. */
export const splitLines = (text: string): string[] => text.split(/\r\n|[\n-\r\x1c-\x1e\x85\u2028\u2029]/u);
