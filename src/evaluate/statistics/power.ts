import { normalQuantile } from "./distributions.js";

/** Two runs that are to be compared on the same questions. */
export interface PairedDesign {
  /** Rows a question: the languages that it is asked in. */
  readonly languages: number;
  /** The share of rows that just one of the runs is expected to get right, above 0 and at most 1. */
  readonly discordance: number;
  /** The correlation of the differences (1, 0 or −1) of two rows of one question, 0 to 1. */
  readonly correlation: number;
  /** The two-sided test's level: 0.05 unless given. */
  readonly alpha?: number;
  /** The chance that a difference of that size is found: 0.8 unless given. */
  readonly power?: number;
}

/**
 * The smallest difference of two runs' accuracies that a paired test is likely to find: McNemar's, with the question as
 * the unit (Connor 1987, with the rows divided by Kish's design effect 1 + (languages − 1) · correlation).
 * @param questions how many different questions both runs answer
 * @returns a share of rows, 0.02 for two percentage points; undefined where not even a difference as large as the
 * discordance,
 *   the largest that there can be, would be found
 * @throws {RangeError} where a setting is out of its range
 */
export function minimumDetectableDifference(questions: number, design: PairedDesign): number | undefined {
  if (!(questions >= 1)) throw new RangeError(`questions must be 1 or more, not ${questions}`);
  const needed = (difference: number): number => requiredRows(difference, design) * rowsToQuestions(design);
  if (needed(design.discordance) > questions) return undefined;
  let [low, high] = [0, design.discordance];
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (needed(middle) > questions) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * How many questions two runs must answer for a difference of their accuracies to be found; see
 * {@link minimumDetectableDifference}.
 * @param difference a share of rows, 0.02 for two percentage points: above 0, at most the discordance
 * @returns a whole number
 * @throws {RangeError} where a setting is out of its range
 */
export function requiredQuestions(difference: number, design: PairedDesign): number {
  const rows = requiredRows(difference, design);
  if (!(difference > 0 && difference <= design.discordance))
    throw new RangeError(
      `a difference must be above 0 and no more than the discordance ${design.discordance}, not ${difference}`,
    );
  // What bisection has left under a whole number is not another question.
  return Math.max(1, Math.ceil(rows * rowsToQuestions(design) - 1e-6));
}

/** Independent rows that a difference needs. */
function requiredRows(difference: number, { languages, discordance, correlation, ...test }: PairedDesign): number {
  const { alpha = 0.05, power = 0.8 } = test;
  const within = (name: string, value: number, holds: boolean, range: string): void => {
    if (!holds) throw new RangeError(`${name} must be ${range}, not ${value}`);
  };
  within("languages", languages, languages >= 1, "1 or more");
  within("discordance", discordance, discordance > 0 && discordance <= 1, "above 0 and at most 1");
  within("correlation", correlation, correlation >= 0 && correlation <= 1, "from 0 to 1");
  within("alpha", alpha, alpha > 0 && alpha < 1, "between 0 and 1");
  within("power", power, power > alpha && power < 1, "between alpha and 1");
  const spread =
    normalQuantile(1 - alpha / 2) * Math.sqrt(discordance) +
    normalQuantile(power) * Math.sqrt(Math.max(0, discordance - difference ** 2));
  return (spread / difference) ** 2;
}

const rowsToQuestions = ({ languages, correlation }: PairedDesign): number =>
  (1 + (languages - 1) * correlation) / languages;
