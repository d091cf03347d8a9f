import type { Letter } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import { lettersOfAnswers } from "../row-facts.js";
import { isCorrect } from "./cluster.js";

/** How often a letter is predicted beside how often it is right. */
export interface LetterBias {
  readonly letter: Letter;
  readonly truth: number;
  readonly predicted: number;
  /** Share of rows with this true letter that were answered right. */
  readonly recall: number | null;
  /** Predicted share minus true share, of the readable rows. */
  readonly excess: number;
}

/** Each letter that a row may be answered with, in order. */
export function letterBias(
  predictions: readonly Pick<Prediction, "answer" | "prediction" | "options">[],
): readonly LetterBias[] {
  const readable = predictions.filter((one) => one.prediction !== null);
  return lettersOfAnswers(predictions).map((letter) => {
    const truth = predictions.filter((one) => one.answer === letter);
    const predicted = readable.filter((one) => one.prediction === letter).length;
    const trueOfReadable = readable.filter((one) => one.answer === letter).length;
    return {
      letter,
      truth: truth.length,
      predicted,
      recall: truth.length ? truth.filter(isCorrect).length / truth.length : null,
      excess: readable.length ? (predicted - trueOfReadable) / readable.length : 0,
    };
  });
}

/** Half the sum of the letters' absolute excesses: the share of predictions that would have to move. */
export const positionBias = (predictions: readonly Prediction[]): number =>
  letterBias(predictions).reduce((sum, letter) => sum + Math.abs(letter.excess), 0) / 2;
