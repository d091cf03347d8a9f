import { UserError } from "../base/errors.js";
import { generator, type NumpyGenerator } from "./numpy-generator.js";

/** Row numbers of the two parts, in the order in which Python's `datasets` gives them. */
export interface TrainTest {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** A share of the rows under 1 (rounded up), or a whole number of rows. */
export function testCount(n: number, testSize: number): number {
  const count = testSize < 1 ? Math.ceil(testSize * n) : testSize;
  if (!(testSize > 0) || count >= n || (testSize >= 1 && !Number.isInteger(testSize))) {
    throw new UserError(`cannot take a test part of ${testSize} out of ${n} rows`, {
      hint: "Both parts need at least one row.",
    });
  }
  return count;
}

/** `Dataset.shuffle(seed)`: the order of the row numbers. */
export const shuffledOrder = (n: number, seed: number): Int32Array => generator(seed).permutation(n);

/** `train_test_split(testSize, seed)` without strata. */
export function trainTestSplit(n: number, testSize: number, seed: number): TrainTest {
  const test = testCount(n, testSize);
  const order = generator(seed).permutation(n);
  return { train: order.slice(test), test: order.slice(0, test) };
}

/**
 * `class_encode_column` and `train_test_split(testSize, seed, stratify_by_column)`, row for row as `datasets` gives it
 * (its `stratified_shuffle_split_generate_indices`).
 * @param labels each row's class; classes are ordered by code point
 * @throws {UserError} where a class has fewer than two rows, or a part would be smaller than the number of classes
 */
export function stratifiedTrainTestSplit(labels: readonly string[], testSize: number, seed: number): TrainTest {
  const n = labels.length;
  const test = testCount(n, testSize);
  const classes = rowsByClass(labels);
  const names = [...classes.keys()];
  const rows = [...classes.values()];
  const few = names.filter((name) => (classes.get(name) as number[]).length < 2);
  if (few.length) {
    throw new UserError(
      `a stratified split needs two rows of each subject; ${few.slice(0, 5).join(", ")} ` +
        `${few.length === 1 ? "has" : "have"} only one`,
      {
        hint: "Take more rows or languages, or a wider length filter.",
      },
    );
  }
  if (test < names.length || n - test < names.length) {
    throw new UserError(
      `a stratified split of ${n} rows into ${n - test} and ${test} is too small for ${names.length} subjects`,
      {
        hint: "Each part needs a row of each subject: take more rows.",
      },
    );
  }
  const random = generator(seed);
  const counts = rows.map((list) => list.length);
  const trainCounts = allot(counts, n - test, random);
  const testCounts = allot(
    counts.map((count, index) => count - (trainCounts[index] as number)),
    test,
    random,
  );
  const trainRows: number[] = [];
  const testRows: number[] = [];
  rows.forEach((list, index) => {
    const order = random.permutation(list.length);
    const [first, second] = [trainCounts[index] as number, testCounts[index] as number];
    for (let k = 0; k < first; k++) trainRows.push(list[order[k] as number] as number);
    for (let k = first; k < first + second; k++) testRows.push(list[order[k] as number] as number);
  });
  return { train: random.shuffled(Int32Array.from(trainRows)), test: random.shuffled(Int32Array.from(testRows)) };
}

/**
 * Row numbers by class, classes by code point. JavaScript's own order is by UTF-16 unit, which differs past the BMP.
 */
function rowsByClass(labels: readonly string[]): Map<string, number[]> {
  const classes = new Map<string, number[]>();
  labels.forEach((label, row) => {
    const list = classes.get(label);
    if (list) list.push(row);
    else classes.set(label, [row]);
  });
  return new Map([...classes].sort(([a], [b]) => compareCodePoints(a, b)));
}

export function compareCodePoints(a: string, b: string): number {
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = (x[i] as string).codePointAt(0)! - (y[i] as string).codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

/**
 * How many of `draws` each class gives: the mode of the multivariate hypergeometric distribution, ties broken at random
 * (`approximate_mode` of datasets and scikit-learn).
 */
export function allot(counts: readonly number[], draws: number, random: NumpyGenerator): number[] {
  const total = counts.reduce((a, b) => a + b, 0);
  const exact = counts.map((count) => (draws * count) / total);
  const allotted = exact.map(Math.floor);
  let needed = Math.trunc(draws - allotted.reduce((a, b) => a + b, 0));
  if (needed <= 0) return allotted;
  const remainders = exact.map((value, index) => value - (allotted[index] as number));
  for (const remainder of [...new Set(remainders)].sort((a, b) => b - a)) {
    const tied = remainders.flatMap((value, index) => (value === remainder ? [index] : []));
    const take = Math.min(tied.length, needed);
    for (const index of random.choice(tied, take)) allotted[index] = (allotted[index] as number) + 1;
    needed -= take;
    if (needed === 0) break;
  }
  return allotted;
}
