import { chanceOf } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import { optionsOf } from "../row-facts.js";
import { isCorrect } from "./cluster.js";

/** What the accuracy would be if the unreadable replies were counted otherwise. */
export interface AccuracyBounds {
  /** As they are counted: the lowest that it can be. */
  readonly unreadableWrong: number;
  /** Were each drawn by lot among its row's options. */
  readonly unreadableAtChance: number;
  /** Were all right: the highest that it can be. */
  readonly unreadableRight: number;
}

/** The accuracy's bounds over what cannot be read (Manski 1989: no assumption about why it cannot); 0 of no rows. */
export function accuracyBounds(predictions: readonly Prediction[]): AccuracyBounds {
  const n = Math.max(1, predictions.length);
  const correct = predictions.filter(isCorrect).length;
  const unread = predictions.filter(({ prediction }) => prediction === null);
  const byLot = unread.reduce((sum, one) => sum + chanceOf(optionsOf(one)), 0);
  return {
    unreadableWrong: correct / n,
    unreadableAtChance: (correct + byLot) / n,
    unreadableRight: (correct + unread.length) / n,
  };
}

/** The share of rows whose reply ended at the limit of tokens, whether a letter could be read or not; 0 of no rows. */
export const cutShare = (predictions: readonly Prediction[]): number =>
  predictions.length ? predictions.filter(({ cut }) => cut).length / predictions.length : 0;
