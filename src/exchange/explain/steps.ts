import { type ReadingName, readingNames, readReply } from "../../answer/index.js";
import { lettersOfAnswers, type Prediction, questionOfAnswer } from "../../evaluate/index.js";
import { type Letter, OPTION_LETTERS } from "../../tasks/index.js";
import { protocolOfResult, type Result } from "../result.js";

/** One row's part of each step: all of them add up to its outcome in the second minus that in the first. */
export interface Steps {
  readonly id: string;
  readonly question: string;
  readonly key: number;
  readonly reading: number;
  readonly scoring: number;
  readonly truncation: number;
  readonly order: number;
  readonly rest: number;
  readonly keysApart: boolean;
  readonly readApart: boolean;
  readonly bothScorings: boolean;
  readonly cut: boolean;
  readonly turned: boolean;
}

/** Takes one row apart. */
export function stepsOf(
  one: Prediction,
  other: Prediction,
  reading: ReadingName,
  several: { readonly one: boolean; readonly other: boolean },
  turned: boolean,
): Steps {
  const right = (letter: Letter | null, key: Letter): number => Number(letter === key);
  // Keys: the mean of changing them under the one's answer and under the other's.
  const own = { one: right(one.prediction, one.answer), other: right(other.prediction, other.answer) };
  const keyed = { one: right(one.prediction, other.answer), other: right(other.prediction, one.answer) };
  const key = (own.other - keyed.other + keyed.one - own.one) / 2;
  const keysApart = one.answer !== other.answer;
  const judged = (letterOne: Letter | null, letterOther: Letter | null): number =>
    keysApart
      ? (right(letterOther, one.answer) -
          right(letterOne, one.answer) +
          right(letterOther, other.answer) -
          right(letterOne, other.answer)) /
        2
      : right(letterOther, one.answer) - right(letterOne, one.answer);
  // Reading: both replies by one reading.
  const [readOne, readOther] = [
    readBy(one, reading, several.one || turned),
    readBy(other, reading, several.other || turned),
  ];
  const asRead = judged(one.prediction, other.prediction);
  const asReadAlike = judged(readOne, readOther);
  // Scoring: where just one was scored by log-probabilities, the other by them too, if it has them.
  const [scoredOne, scoredOther] = scoredAlike(one, other, readOne, readOther);
  const bothScorings = scoredOne !== readOne || scoredOther !== readOther || bothHave(one, other);
  const asScoredAlike = judged(scoredOne, scoredOther);
  const cut = isCut(one, scoredOne) || isCut(other, scoredOther);
  const order = !cut && turned ? asScoredAlike : 0;
  return {
    id: one.id,
    question: questionOfAnswer(one),
    key,
    reading: asRead - asReadAlike,
    scoring: asReadAlike - asScoredAlike,
    truncation: cut ? asScoredAlike : 0,
    order,
    rest: cut || turned ? 0 : asScoredAlike,
    keysApart,
    readApart: readOne !== one.prediction || readOther !== other.prediction,
    bothScorings,
    cut,
    turned,
  };
}

/** The reading of both results, or of the first of ours that says one that is known; else the robust one. */
export function readingOfBoth(a: Result, b: Result): ReadingName {
  const names = [a, b].flatMap((result) => {
    const name = result.manifest && protocolOfResult(result)?.answerExtraction;
    return readingNames.find((one) => one === name) ?? [];
  });
  return names[0] ?? "robust";
}

/** Whether a reply of a result may answer several questions: it was read with them, and is not read anew. */
export const answersSeveral = (result: Result): boolean => (protocolOfResult(result)?.questionsPerRequest ?? 1) > 1;

/**
 * The letter that a reading reads in a kept reply; where none was written, the letter that was scored.
 * @param asItWas whether the reply is not read anew: it answers several questions, or its letters are another order's
 */
function readBy(one: Prediction, reading: ReadingName, asItWas: boolean): Letter | null {
  // The reply of a row whose options were turned has the letters that were shown then.
  if (asItWas || one.order || isScored(one) || (one.reply === "" && one.prediction !== null)) return one.prediction;
  return readReply(reading, one.reply, 1, lettersOfAnswers([one]))[0] ?? null;
}

const likeliest = (logProbabilities: readonly number[]): Letter =>
  OPTION_LETTERS[logProbabilities.indexOf(Math.max(...logProbabilities))]!;

/** Whether a letter was scored and not written. */
const isScored = ({ logProbabilities, reply }: Prediction): boolean =>
  logProbabilities !== undefined && reply.trim().length <= 1;

const bothHave = (one: Prediction, other: Prediction): boolean =>
  isScored(one) !== isScored(other) && one.logProbabilities !== undefined && other.logProbabilities !== undefined;

function scoredAlike(
  one: Prediction,
  other: Prediction,
  readOne: Letter | null,
  readOther: Letter | null,
): [Letter | null, Letter | null] {
  if (!bothHave(one, other)) return [readOne, readOther];
  return [likeliest(one.logProbabilities!), likeliest(other.logProbabilities!)];
}

const isCut = ({ cut, unreadable }: Prediction, letter: Letter | null): boolean =>
  letter === null && (cut === true || unreadable === "cut" || unreadable === "onlyReasoning");
