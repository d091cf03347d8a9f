import { UsageError } from "../../base/errors.js";
import { type Letter, mmmlu } from "../../tasks/index.js";
import { firstCharacter } from "./first-character.js";
import { firstMatch } from "./first-match.js";
import { lastMatch } from "./last-match.js";
import { letter } from "./letter.js";
import { lines } from "./lines.js";
import type { Reading } from "./reading.js";
import { robust } from "./robust.js";
import { simpleEvals } from "./simple-evals.js";

export type { Reading } from "./reading.js";

/** All readings by the names that configurations give them. */
export const readings = {
  "first-character": firstCharacter,
  "first-match": firstMatch,
  "last-match": lastMatch,
  letter,
  lines,
  robust,
  "simple-evals": simpleEvals,
} as const satisfies Record<string, Reading>;

export type ReadingName = keyof typeof readings;

/** The names of all readings, as a configuration's schema needs them. */
export const readingNames = Object.keys(readings) as [ReadingName, ...ReadingName[]];

/**
 * The letter of each question that a raw reply answers, in order; null where it is unreadable.
 * @param labels the options' letters, from A on: 2 to 10 of them; MMMLU's where none are given
 * @throws {UsageError} where the reading is of one question a reply and there are several.
 */
export function readReply<L extends string = Letter>(
  name: ReadingName,
  reply: string,
  questions = 1,
  labels: readonly L[] = mmmlu.letters as readonly string[] as readonly L[],
): (L | null)[] {
  const reading: Reading = readings[name];
  if (questions > 1 && !reading.several) {
    throw new UsageError(`the reading "${name}" reads one question a reply, and this reply answers ${questions}`, {
      hint: "Set answerer.questionsPerRequest=1, or the reading to lines or robust.",
    });
  }
  return reading.read(reply, questions, labels).map((letter) => labels.find((label) => label === letter) ?? null);
}

/** The letter of a raw reply to one question, or null where it is unreadable. */
export const readLetter = <L extends string = Letter>(
  name: ReadingName,
  reply: string,
  labels?: readonly L[],
): L | null => readReply(name, reply, 1, labels)[0] as L | null;

/** Whether a reading of one question's reply can no longer change, whatever follows: where generation may stop. */
export const settled = (name: ReadingName, partialReply: string, labels: readonly string[] = mmmlu.letters): boolean =>
  readings[name].settled(partialReply, labels);
