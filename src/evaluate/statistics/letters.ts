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
  const none = () => ({ truth: 0, right: 0, predicted: 0, trueOfReadable: 0 });
  const counts = new Map(lettersOfAnswers(predictions).map((letter) => [letter, none()]));
  let readable = 0;
  for (const one of predictions) {
    const [ofTruth, ofPredicted] = [counts.get(one.answer), one.prediction && counts.get(one.prediction)];
    if (ofTruth) {
      ofTruth.truth++;
      if (isCorrect(one)) ofTruth.right++;
      if (one.prediction !== null) ofTruth.trueOfReadable++;
    }
    if (ofPredicted) ofPredicted.predicted++;
    if (one.prediction !== null) readable++;
  }
  return [...counts].map(([letter, { truth, right, predicted, trueOfReadable }]) => ({
    letter,
    truth,
    predicted,
    recall: truth ? right / truth : null,
    excess: readable ? (predicted - trueOfReadable) / readable : 0,
  }));
}

/** Half the sum of the letters' absolute excesses: the share of predictions that would have to move. */
export const positionBias = (predictions: readonly Prediction[]): number =>
  letterBias(predictions).reduce((sum, letter) => sum + Math.abs(letter.excess), 0) / 2;
