import { UserError } from "../base/errors.js";
import { sha256OfPieces } from "../base/files.js";
import { jsonPieces, LazyList } from "../base/json.js";
import type { Row } from "../tasks/index.js";
import { groupedSplit } from "./grouped-split.js";
import { shuffledOrder, stratifiedTrainTestSplit } from "./train-test-split.js";

/** Rows by what they are for, in order. */
export interface Splits {
  readonly train: readonly Row[];
  readonly validation: readonly Row[];
  readonly test: readonly Row[];
}

/** What makes a split: the same settings on the same rows give the same split. */
export interface SplitSettings {
  readonly kind: "published" | "grouped";
  readonly shape: "80/10/10" | "90/10-shuffled";
  readonly seed: number;
}

/** Splits rows as the settings say. @throws {UserError} where the rows are too few for their subjects */
export function splitRows(rows: readonly Row[], settings: SplitSettings): Splits {
  if (settings.kind === "grouped") {
    const share = 0.1;
    return groupedSplit(rows, {
      validation: settings.shape === "80/10/10" ? share : 0,
      test: share,
      seed: settings.seed,
    });
  }
  return settings.shape === "80/10/10" ? publishedSplit(rows, settings.seed) : zeroShotSplit(rows, settings.seed);
}

/**
 * Splits the rows of two sources: the train and validation parts are of one, the test part of the other. A grouped
 * split is made of all together, so that a question is on one side in both sources; others are made of each by itself.
 * @throws {UserError} where the rows are too few for their subjects
 */
export function splitTwoSources(trained: readonly Row[], tested: readonly Row[], settings: SplitSettings): Splits {
  if (settings.kind !== "grouped") {
    const { train, validation } = splitRows(trained, settings);
    return { train, validation, test: splitRows(tested, settings).test };
  }
  const splits = splitRows([...tested, ...trained], settings);
  const isTested = new Set(tested);
  const parts = {
    train: splits.train.filter((row) => !isTested.has(row)),
    validation: splits.validation.filter((row) => !isTested.has(row)),
    test: splits.test.filter((row) => isTested.has(row)),
  };
  const empty = Object.entries(parts).find(
    ([part, rows]) => rows.length === 0 && splits[part as keyof Splits].length > 0,
  );
  if (empty) throw new UserError(`no row of its source is left for the ${empty[0]} part`, { hint: "Take more rows." });
  return parts;
}

/**
 * `train_test_split(0.2, stratify)` and, of its test part, `train_test_split(0.5, stratify)`: 80/10/10, both with the
 * same seed.
 */
export function publishedSplit(rows: readonly Row[], seed = 42): Splits {
  const first = stratifiedTrainTestSplit(
    rows.map((row) => row.subject),
    0.2,
    seed,
  );
  const rest = Array.from(first.test, (index) => rows[index] as Row);
  const second = stratifiedTrainTestSplit(
    rest.map((row) => row.subject),
    0.5,
    seed,
  );
  return {
    train: Array.from(first.train, (index) => rows[index] as Row),
    validation: Array.from(second.train, (index) => rest[index] as Row),
    test: Array.from(second.test, (index) => rest[index] as Row),
  };
}

/**
 * The zero-shot experiment's: `shuffle(seed)`, then one `train_test_split(0.1, stratify)`; its train part is never
 * used.
 */
export function zeroShotSplit(rows: readonly Row[], seed = 42): Splits {
  const shuffled = Array.from(shuffledOrder(rows.length, seed), (index) => rows[index] as Row);
  const split = stratifiedTrainTestSplit(
    shuffled.map((row) => row.subject),
    0.1,
    seed,
  );
  return {
    train: Array.from(split.train, (index) => shuffled[index] as Row),
    validation: [],
    test: Array.from(split.test, (index) => shuffled[index] as Row),
  };
}

/** The ids of each part, in order, made one at a time as they are written: what `splits.json` holds. */
export const splitIds = ({ train, validation, test }: Splits): Record<keyof Splits, LazyList> => ({
  train: new LazyList(idsIn(train)),
  validation: new LazyList(idsIn(validation)),
  test: new LazyList(idsIn(test)),
});

function* idsIn(rows: readonly Row[]): Generator<string> {
  for (const row of rows) yield row.id;
}

/** SHA-256 over the ids of all parts, in order. */
export const hashOfSplits = (splits: Splits): string => sha256OfPieces(jsonPieces(splitIds(splits)));
