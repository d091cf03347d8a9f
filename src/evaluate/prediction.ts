import { z } from "zod";
import { writePiecesWhole } from "../base/files.js";
import { readJsonLines } from "../base/json-lines.js";
import { type Letter, OPTION_LETTERS } from "../tasks/index.js";
import { type RowFacts, rowFactsSchema } from "./row-facts.js";
import { UNREADABLE_REASONS, type UnreadableReason } from "./unreadable.js";

/** What was predicted for one row: a line of `predictions.jsonl`. */
export interface Prediction extends RowFacts {
  /** The row's id, such as `DE_DE/abstract_algebra/0`. */
  readonly id: string;
  readonly language: string;
  readonly subject: string;
  /** The true letter. */
  readonly answer: Letter;
  /**
   * The letter that the reply was read as, of the row's own order of options; null where it is unreadable.
   */
  readonly prediction: Letter | null;
  /** Why it is unreadable, where it is. */
  readonly unreadable?: UnreadableReason;
  /** Whether the reply ended at its limit of tokens, readable or not. */
  readonly cut?: true;
  /** The raw reply; where one reply answered several questions, the whole of it. */
  readonly reply: string;
  /** Which evaluation of the run: `test`, `baseline`, `final`; with what follows it, a further asking. */
  readonly stage: string;
  /** By how many places the options were turned round when it was asked; the reply has the letters shown then. */
  readonly order?: number;
  /** Which asking of the row under this order it is, but for the first. */
  readonly repeat?: number;
  /** Natural logarithms of the probabilities of the options' letters, where they were asked for and sent. */
  readonly logProbabilities?: readonly number[];
  /** The largest of the letters' logits, of a local model. */
  readonly letterLogit?: number;
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

const letter = z.enum(OPTION_LETTERS);
/** JSON has no −∞: it was written as null. */
const logProbability = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NEGATIVE_INFINITY);

/** A line of `predictions.jsonl` as it is read back; keys that are not named pass. */
const predictionSchema = z.looseObject({
  ...rowFactsSchema.shape,
  id: z.string(),
  language: z.string(),
  subject: z.string(),
  answer: letter,
  prediction: letter.nullable(),
  unreadable: z.enum(UNREADABLE_REASONS).optional(),
  cut: z.literal(true).optional(),
  reply: z.string(),
  stage: z.string(),
  order: z.number().optional(),
  repeat: z.number().optional(),
  logProbabilities: z.array(logProbability).min(2).max(OPTION_LETTERS.length).optional(),
  letterLogit: z.number().optional(),
});

/**
 * Reads predictions as a stream; a missing file has none.
 * @throws {UserError} naming file and place where one is not JSON, or not a prediction.
 */
export async function* readPredictions(path: string): AsyncGenerator<Prediction> {
  yield* readJsonLines(path, predictionSchema, {
    hint: "The file is damaged, or another program wrote it: run the experiment's command again, which writes it anew.",
  });
}
