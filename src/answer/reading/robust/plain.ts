/*
 * A reply's text without what says nothing. Every expression here takes time in proportion to the text: no two parts
 * that follow each other may take the same characters without a bound.
 */

/** How much of a reply's text without thoughts and other turns is read, in characters of its beginning and its end. */
export const HEAD_LENGTH = 8 * 1024;
export const TAIL_LENGTH = 56 * 1024;

/** TeX's commands for a style of letters. */
const STYLE = "\\\\(?:text[a-z]{0,8}|math[a-z]{1,8}|emph|underline|operatorname|rm|bf|sf|it|tt)(?![a-z])";
/** A box; of `\b` read as JSON's escape a backspace is left. */
const BOX = "(?:\\\\{1,2}(?:boxed|fbox|framebox)|\\x08oxed|(?<![\\p{L}\\\\])boxed(?=\\{))";
/** TeX's blanks. */
const SPACE = "\\\\[,;:! ]|[ ~]";
const BOXED = new RegExp(
  `${BOX} ?(?:\\{(?:${STYLE}|${SPACE}|[{(]){0,8}([A-Ja-j])\\)?(?:${SPACE}){0,4}` +
    "(?:[.:)](?:[^{}\\n]{0,80}))?(?: ?\\}){1,4}| ([A-J])(?![\\p{L}\\p{N}]))",
  "gu",
);
const BOXED_WORDS = new RegExp(`${BOX} ?\\{((?:\\p{L}{1,16}[ :]{1,3}){1,4}\\(?[A-J]\\)?\\.?) ?\\}`, "gu");
const STYLED = new RegExp(`${STYLE} ?\\{([^{}]{0,400})\\}`, "g");
const ANSWER_TAG = /<\/?(?:final[_ -]?answer|answer|final)>|\[\/?ANSWER\]/gi;
const FORMATTING = /<\/?(?:b|strong|em|i|p|u|br|code|pre|center|big|small|span|div|li|ul|ol|mark|h[1-6]) ?\/?>/gi;
/** `- [x] B`: a box that is ticked or not. */
const CHECKBOX = /(?<=^|\n)([ >+-]{0,8})\[([ xX✓✔]?)\] (?=\S)/g;

/** Full-width, circled and mathematical letters become plain ones; runs of blanks and of empty lines become one. */
export const normalized = (reply: string): string =>
  bounded(
    reply
      .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]/g, "")
      .normalize("NFKC")
      .replace(/[\u{1f150}-\u{1f169}\u{1f170}-\u{1f189}]\ufe0f?/gu, squaredLetter)
      .replace(/[٠-٩۰-۹०-९০-৯]/g, (digit) => String(digitOf(digit.codePointAt(0)!)))
      .replace(/\r\n?|[\v\f\x85\u2028\u2029]/g, "\n")
      .replace(/[^\S\n]+/g, " ")
      .replace(/(?: ?\n)+ ?/g, "\n"),
  );

/** The letter of a white one on a black disc or square, which no normalization makes plain. */
const squaredLetter = (sign: string): string => String.fromCharCode(65 + ((sign.codePointAt(0)! - 0x1f150) % 32));

/** The value of an Arabic, Persian, Hindi or Bengali digit. */
const digitOf = (code: number): number =>
  [0x660, 0x6f0, 0x966, 0x9e6].map((zero) => code - zero).find((value) => value >= 0 && value < 10)!;

const bounded = (text: string): string =>
  text.length <= HEAD_LENGTH + TAIL_LENGTH ? text : `${text.slice(0, HEAD_LENGTH)}\n…\n${text.slice(-TAIL_LENGTH)}`;

/** Without emphasis, code, TeX and tags; boxes and answer tags become words, and what is struck through goes. */
export function plain(text: string): string {
  return text
    .replace(/~~[^~\n]{1,400}~~|<(?:del|strike)>[^<\n]{1,400}<\/(?:del|strike)>/g, " ")
    .replace(/[*`$]/g, "")
    .replace(BOXED, " final answer: ($1$2) ")
    .replace(ANSWER_TAG, (tag) => (tag.includes("/") ? "\n" : "\nfinal answer: "))
    .replace(STYLED, "$1")
    .replace(BOXED_WORDS, " final answer: $1 . ")
    .replace(/<<([A-J])>>/g, " $1 ")
    .replace(FORMATTING, " ")
    .replace(/<[|\w]{0,40}$/, "")
    .replace(CHECKBOX, (_whole, before: string, tick: string) => `${before}${tick.trim() === "" ? "❌" : "✅"} `)
    .replaceAll("~", "")
    .replace(/_+/g, " ");
}
