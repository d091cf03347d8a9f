import { eastAsianWidth } from "get-east-asian-width";

/** What a terminal's line may be, as far as it matters here. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Narrower terminals do not say how wide they are (0), or show words one by one. */
const NARROWEST = 20;

/** Marks that stand on the character before, and what is not seen. */
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns that a text takes in a terminal, as Unicode's table of East Asian widths has it. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += NO_WIDTH.test(character) ? 0 : eastAsianWidth(character.codePointAt(0)!);
  return width;
}

/** A text of at most so many columns: what is too long ends in `…`. */
export function cutTo(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = "";
  let taken = 1;
  for (const character of text) {
    taken += displayWidth(character);
    if (taken > width) break;
    cut += character;
  }
  return `${cut}…`;
}

/**
 * What is not broken: a word, or a figure with its unit (`1 min 54 s`, `5.9 GiB`, `27.2 %`). Of blanks only the plain
 * one is a place to break, so that a no-break space keeps what it stands for.
 */
const PIECE =
  /( *)([^ \d]*\d[\d,.]*(?: (?:[\p{L}%]+\/s|d|h|min|s|ms|%|[KMGT]i?B)(?![^ )\].,:;])[)\].,:;]?(?: \d[\d.]*(?= (?:min|s)\b))?)+|[^ ]+)/gu;

/**
 * A line broken between words. What follows stands under the line's last column of text (two spaces or more go before
 * one), or a little further in than its beginning. Words that are too long, such as addresses, stay whole, and figures
 * with their units.
 */
export function fold(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  const beginning = /^ */.exec(line)![0];
  const columns = [...line.matchAll(/ {2,}/g)].map(
    ({ index, 0: gap }) => displayWidth(line.slice(0, index)) + gap.length,
  );
  const column = columns.filter((at) => at > beginning.length && at <= width / 2).at(-1);
  const indent = " ".repeat(column ?? beginning.length + 2);
  const lines: string[] = [];
  let current = beginning;
  let empty = true;
  for (const [, space, word] of line.slice(beginning.length).matchAll(PIECE)) {
    if (!empty && displayWidth(current + space + word) > width) {
      lines.push(current);
      current = indent + word;
    } else current += space! + word;
    empty = false;
  }
  return [...lines, current].join("\n");
}

/** What stands for a character where a terminal shows ASCII alone. */
const ASCII: Readonly<Record<string, string>> = {
  "█": "#",
  "·": ".",
  "…": "~",
  "✓": "+",
  "✗": "x",
  "–": "-",
  "−": "-",
  "→": "->",
  "×": "x",
  "≤": "<=",
  "≥": ">=",
  "±": "+-",
};

/** Whether the locale that the environment names has no UTF-8: one that it does not name may well have. */
function isAscii({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG;
  return locale !== undefined && locale !== "" && process.platform !== "win32" && !/utf-?8/i.test(locale);
}

/** A text for a terminal whose locale has no UTF-8: the few characters that we write ourselves in ASCII. */
export const inLocale = (text: string, environment: NodeJS.ProcessEnv = process.env): string =>
  isAscii(environment) ? text.replace(/[^\x00-\x7f]/gu, (character) => ASCII[character] ?? character) : text;

/** Text as a stream shows it: as it is in a file or pipe, in a terminal folded at its width. */
export function shownOn({ isTTY, columns = 0 }: Terminal, text: string, environment = process.env): string {
  if (!isTTY) return text;
  const folded =
    columns < NARROWEST
      ? text
      : text
          .split("\n")
          .map((line) => fold(line, columns))
          .join("\n");
  return inLocale(folded, environment);
}

/** Whether a terminal obeys escape sequences. */
export const isSmart = ({ isTTY }: Terminal, { TERM }: NodeJS.ProcessEnv = process.env): boolean =>
  isTTY === true && TERM !== "dumb";
