import { writePiecesWhole } from "../base/files.js";
import { readJsonLines } from "../base/json-lines.js";
import type { Letter } from "../data/index.js";

/** What was predicted for one row: a line of `predictions.jsonl`. */
export interface Prediction {
  /** The row's id, such as `DE_DE/abstract_algebra/0`. */
  readonly id: string;
  readonly language: string;
  readonly subject: string;
  /** The true letter. */
  readonly answer: Letter;
  /** The letter that the reply was read as; null where it is unreadable. */
  readonly prediction: Letter | null;
  /** The raw reply; where one reply answered several questions, the whole of it. */
  readonly reply: string;
  /** Which evaluation of the run: `zero-shot`, `baseline`, `final`. */
  readonly stage: string;
  /** Natural logarithms of the probabilities of A to D, where they were asked for and sent. */
  readonly logProbabilities?: readonly [number, number, number, number];
}

/**
 * Writes `predictions.jsonl` whole or not at all, one line at a time: nothing is held.
 * @throws {UserError} where it cannot be written.
 */
export function writePredictions(path: string, predictions: Iterable<Prediction>): void {
  writePiecesWhole(path, linesOf(predictions));
}

function* linesOf(predictions: Iterable<Prediction>): Generator<string> {
  for (const prediction of predictions) yield `${JSON.stringify(prediction)}\n`;
}

/**
 * Reads predictions as a stream; a missing file has none.
 * @throws {UserError} naming file and line where one is not JSON.
 */
export const readPredictions = (path: string): AsyncGenerator<Prediction> => readJsonLines<Prediction>(path);
