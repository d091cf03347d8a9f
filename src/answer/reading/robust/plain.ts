/*
 * A reply's text without what says nothing. Every expression here takes time in proportion to the text: no two parts
 * that follow each other may take the same characters without a bound.
 */

/** How much of a reply's text without thoughts and other turns is read, in characters of its beginning and its end. */
export const HEAD_LENGTH = 8 * 1024;
export const TAIL_LENGTH = 56 * 1024;

const BOXED =
  /\\(?:boxed|fbox) ?\{ ?(?:\\(?:text(?:bf)?|math(?:rm|bf)) ?\{ ?)?\(?([A-Ja-j])\)?(?: ?[.:)] ?[^{}\n]{0,80})? ?\}(?: ?\})?/gu;
const ANSWER_TAG = /<\/?(?:final[_ -]?answer|answer|final)>|\[\/?ANSWER\]/gi;
const FORMATTING = /<\/?(?:b|strong|em|i|p|u|br|code|pre|center|big|small|span|div|li|ul|ol|mark|h[1-6]) ?\/?>/gi;

/** Full-width, circled and mathematical letters become plain ones; runs of blanks and of empty lines become one. */
export const normalized = (reply: string): string =>
  bounded(
    reply
      .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]/g, "")
      .normalize("NFKC")
      .replace(/[٠-٩۰-۹०-९০-৯]/g, (digit) => String(digitOf(digit.codePointAt(0)!)))
      .replace(/\r\n?|[\v\f\x85\u2028\u2029]/g, "\n")
      .replace(/[^\S\n]+/g, " ")
      .replace(/(?: ?\n)+ ?/g, "\n"),
  );

/** The value of an Arabic, Persian, Hindi or Bengali digit. */
const digitOf = (code: number): number =>
  [0x660, 0x6f0, 0x966, 0x9e6].map((zero) => code - zero).find((value) => value >= 0 && value < 10)!;

const bounded = (text: string): string =>
  text.length <= HEAD_LENGTH + TAIL_LENGTH ? text : `${text.slice(0, HEAD_LENGTH)}\n…\n${text.slice(-TAIL_LENGTH)}`;

/** Without emphasis, code, TeX and tags; boxes and answer tags become words, and what is struck through goes. */
export function plain(text: string): string {
  return text
    .replace(/~~[^~\n]{1,400}~~|<(?:del|strike)>[^<\n]{1,400}<\/(?:del|strike)>/g, " ")
    .replace(BOXED, " final answer: $1 . ")
    .replace(ANSWER_TAG, (tag) => (tag.includes("/") ? "\n" : "\nfinal answer: "))
    .replace(/\\(?:text|mathrm|mathbf|textbf|textit) ?\{([^{}]{0,400})\}/g, "$1")
    .replace(FORMATTING, " ")
    .replace(/<[|\w]{0,40}$/, "")
    .replace(/[*`$~]/g, "")
    .replace(/_+/g, " ");
}
