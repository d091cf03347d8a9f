import type { Prediction } from "../../evaluate/index.js";
import type { Result } from "../../exchange/index.js";

export const outcomes = ["right", "wrong", "unreadable", "cut"] as const;
export type Outcome = (typeof outcomes)[number];

/** A row in the list of a run's rows: one answer. */
export interface ListedRow
  extends Pick<Prediction, "id" | "language" | "subject" | "stage" | "answer" | "prediction" | "unreadable"> {
  readonly category: string;
  readonly cut: boolean;
  /** Share of the predicted letter among the letters, where their probabilities are known. */
  readonly confidence?: number;
  /** The beginning of the reply. */
  readonly reply: string;
}

/** The answers of a run, as far as there are any, and where another tool wrote them the results themselves. */
export interface RunRows {
  readonly rows: readonly ListedRow[];
  readonly results?: readonly Result[];
}

export const outcomeOf = ({ prediction, answer }: Pick<Prediction, "prediction" | "answer">): Outcome =>
  prediction === null ? "unreadable" : prediction === answer ? "right" : "wrong";

/** Of an answer among a run's. */
export const answerKey = ({ stage, id }: Pick<Prediction, "stage" | "id">): string => `${stage}\0${id}`;
