import { UsageError } from "../base/errors.js";
import type { Letter } from "../data/index.js";
import { LEADING_CAPITAL, STANDALONE_LETTER, splitLines, strip } from "./reading/python-text.js";
import { mayBeginReasoning, withoutLeadingReasoning, withoutReasoning } from "./reading/reasoning.js";
import { readRobust, readRobustList } from "./reading/robust.js";

/** How a raw reply becomes letters. */
export interface Reading {
  readonly description: string;
  /** The letter of each question that the reply answers, in order; null where there is none. Takes the raw reply. */
  read(reply: string, questions: number): (Letter | null)[];
  /** Whether {@link read} for one question can no longer change, whatever follows this beginning of a reply. */
  settled(partial: string): boolean;
  /** Whether one reply may answer several questions. */
  readonly several: boolean;
}

const asLetter = (text: string | undefined): Letter | null =>
  text !== undefined && /^[A-D]$/.test(text) ? (text as Letter) : null;

// A reply cut inside a character ends in U+FFFD, which the next token turns into something else.
const whole = (partial: string): string => partial.replace(/\ufffd+$/u, "");

const firstMatch = (text: string): RegExpExecArray | null => new RegExp(STANDALONE_LETTER.source, "u").exec(text);

export const readings = {
  "first-character": {
    description: "the first character of the trimmed reply (flan-t5-finetune)",
    read: (reply) => [asLetter(strip(withoutLeadingReasoning(reply)).slice(0, 1))],
    settled: (partial) => !mayBeginReasoning(whole(partial)) && strip(whole(partial)) !== "",
    several: false,
  },
  "first-match": {
    description: "the first match of \\b([A-Da-d])\\b (gemma-2-2b-finetune)",
    read: (reply) => [asLetter(firstMatch(withoutLeadingReasoning(reply))?.[0].toUpperCase())],
    settled: (partial) => {
      const text = withoutLeadingReasoning(whole(partial));
      const match = mayBeginReasoning(text) ? null : firstMatch(text);
      // At the very end a letter may still become the beginning of a word.
      return match !== null && match.index + 1 < text.length;
    },
    several: false,
  },
  "last-match": {
    description: "the last match of \\b([A-Da-d])\\b",
    read: (reply) => [asLetter([...withoutReasoning(reply).matchAll(STANDALONE_LETTER)].at(-1)?.[0].toUpperCase())],
    settled: () => false,
    several: false,
  },
  lines: {
    description:
      "a letter at the start of each line, else every letter of the upper-cased reply (gemma-3-27b-baseline)",
    read: (reply, questions) => readLines(withoutReasoning(reply), questions),
    settled: () => false,
    several: true,
  },
  robust: {
    description:
      'our own: the letter after the last "Answer:", alone on a line, or the only one spoken of; formatting, articles and other scripts seen through',
    read: (reply, questions) => (questions === 1 ? [readRobust(reply)] : readRobustList(reply, questions)),
    settled: () => false,
    several: true,
  },
} as const satisfies Record<string, Reading>;

export type ReadingName = keyof typeof readings;

/** §4's reading: cut to the number of questions, filled up with null (the published code writes `?`). */
function readLines(reply: string, questions: number): (Letter | null)[] {
  const leading = splitLines(reply)
    .map((line) => LEADING_CAPITAL.exec(strip(line).toUpperCase())?.[0])
    .filter((letter) => letter !== undefined);
  let letters = leading;
  if (leading.length < questions) {
    const all = reply.toUpperCase().match(/[A-D]/g) ?? [];
    if (all.length >= leading.length) letters = all;
  }
  return Array.from({ length: questions }, (_, index) => asLetter(letters[index]));
}

/**
 * The letter of each question that a raw reply answers, in order; null where it is unreadable.
 * @throws {UsageError} where the reading is of one question a reply and there are several.
 */
export function readReply(name: ReadingName, reply: string, questions = 1): (Letter | null)[] {
  const reading: Reading = readings[name];
  if (questions > 1 && !reading.several) {
    throw new UsageError(`the reading "${name}" reads one question a reply, and this reply answers ${questions}`, {
      hint: "Set answerer.questionsPerRequest=1, or the reading to lines or robust.",
    });
  }
  return reading.read(reply, questions);
}

/** The letter of a raw reply to one question, or null where it is unreadable. */
export const readLetter = (name: ReadingName, reply: string): Letter | null =>
  readReply(name, reply)[0] as Letter | null;

/** Whether a reading of one question's reply can no longer change, whatever follows: where generation may stop. */
export const settled = (name: ReadingName, partialReply: string): boolean => readings[name].settled(partialReply);
