import type { Letter } from "../../tasks/index.js";
import { chanceOf, fitLogistic } from "./logistic.js";
import type { ParallelTable } from "./table.js";

/** A row that runs fail in this one language, more than question, language and run explain. */
export interface SuspectRow {
  readonly place: number;
  readonly id: string;
  readonly language: string;
  readonly subject: string;
  readonly question: string;
  /** Runs that answered it, and those of them that failed. */
  readonly runs: number;
  readonly failed: number;
  /** How many would be expected to. */
  readonly expected: number;
  /** The share of the same runs' answers to its translations that are right. */
  readonly rightElsewhere: number;
  /** The chance of as many failures or more, were the row like its translations. */
  readonly pValue: number;
  /** After Benjamini and Hochberg's correction over all rows. */
  readonly qValue: number;
  /** Whether it is flagged: its q-value is at most the rate of false alarms that was asked for. */
  readonly flagged: boolean;
  readonly key: Letter;
  /** The wrong letter that most runs gave, with how many. */
  readonly wrongLetter?: Letter;
  readonly wrongLetterRuns: number;
}

export interface Suspects {
  /** The stated rate: of the flagged rows at most this share is expected to be a false alarm. */
  readonly falseAlarms: number;
  /** Rows that were looked at. */
  readonly rows: number;
  readonly flagged: number;
  /** Spread of what runs share beyond the model, on the logit scale: what a row of one language has of its own. */
  readonly sharedSpread: number;
  /** The flagged ones, then the next likeliest; at most `most`. */
  readonly list: readonly SuspectRow[];
}

/** Languages that are needed at the least: with two nobody knows which of them is the odd one. */
export const LEAST_LANGUAGES = 3;

/** Points and weights of Gauss and Hermite's rule for a standard normal variable (Abramowitz and Stegun 25.4.46). */
const HERMITE: readonly (readonly [point: number, weight: number])[] = [
  [-2.8569700138728056, 0.011257411327720682],
  [-1.355626179974266, 0.2220759220056126],
  [0, 0.5333333333333333],
  [1.355626179974266, 0.2220759220056126],
  [2.8569700138728056, 0.011257411327720682],
];

/**
 * Rows whose failure in one language is not explained: for each run a logistic regression of being wrong on the
 * language and on how often the run, and the other runs, have the question's translations right; the number of failed
 * runs is then held against its distribution (a sum of unequal chances, with a spread that runs share, estimated from
 * the rows not flagged), and the p-values of all rows against a false discovery rate (Benjamini and Hochberg 1995). A
 * flag says that something about the row in this language is odd: its translation, its key, or what only speakers of it
 * know. How many planted rows are found, and at which rate of false alarms: docs/statistics.md.
 * @returns undefined where there are fewer than {@link LEAST_LANGUAGES} languages
 */
export function suspectRows(
  table: ParallelTable,
  { falseAlarms = 0.1, most = 500 }: { falseAlarms?: number; most?: number } = {},
): Suspects | undefined {
  const { languages, questions, runs } = table;
  const size = languages.length;
  if (size < LEAST_LANGUAGES) return undefined;
  const elsewhere = runs.map(({ right }) => countsElsewhere(right, questions.length, size));
  const failing = runs.map((_, run) => failureChances(table, elsewhere, run));
  const rows: { place: number; chances: number[]; failed: number }[] = [];
  for (let place = 0; place < questions.length * size; place++) {
    const chances: number[] = [];
    let failed = 0;
    runs.forEach(({ right }, run) => {
      const chance = failing[run]![place]!;
      if (Number.isNaN(chance)) return;
      chances.push(chance);
      failed += 1 - right[place]!;
    });
    if (chances.length) rows.push({ place, chances, failed });
  }
  let [spread, qValues, pValues] = [0, [] as number[], [] as number[]];
  let among: typeof rows = rows;
  // The spread is estimated without what it flags, and what is flagged with the spread.
  for (let round = 0; round < 4; round++) {
    spread = sharedSpread(among, failing.length);
    pValues = rows.map((row) => tailOf(row.chances, row.failed, spread));
    qValues = benjaminiHochberg(pValues);
    const left = rows.filter((_, index) => qValues[index]! > falseAlarms);
    if (left.length === among.length) break;
    among = left;
  }
  const order = rows.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]! || a - b);
  const flagged = qValues.filter((q) => q <= falseAlarms).length;
  const list = order
    .slice(0, Math.max(flagged, Math.min(most, order.length)))
    .filter((index) => rows[index]!.failed > 0)
    .map((index) => suspectOf(table, rows[index]!, pValues[index]!, qValues[index]!, falseAlarms, elsewhere));
  return { falseAlarms, rows: rows.length, flagged, sharedSpread: spread, list };
}

interface Elsewhere {
  /** At each place, how many of the question's other languages were asked, and are right. */
  readonly asked: Int16Array;
  readonly correct: Int16Array;
}

function countsElsewhere(right: Int8Array, questions: number, size: number): Elsewhere {
  const asked = new Int16Array(questions * size);
  const correct = new Int16Array(questions * size);
  for (let q = 0; q < questions; q++) {
    const row = right.subarray(q * size, (q + 1) * size);
    const [all, sum] = [row.filter((one) => one >= 0).length, row.filter((one) => one === 1).length];
    for (let l = 0; l < size; l++) {
      const own = row[l]!;
      asked[q * size + l] = all - (own >= 0 ? 1 : 0);
      correct[q * size + l] = sum - (own === 1 ? 1 : 0);
    }
  }
  return { asked, correct };
}

/** The logit of a share, drawn in as by half a row more of each kind. */
const logit = (correct: number, asked: number): number => Math.log((correct + 0.5) / (asked - correct + 0.5));

/** At each place the chance that a run fails; NaN where it was not asked there, or nowhere else. */
function failureChances(
  { languages, questions, runs }: ParallelTable,
  elsewhere: readonly Elsewhere[],
  run: number,
): Float64Array {
  const size = languages.length;
  const { right } = runs[run]!;
  const own = elsewhere[run]!;
  const others = elsewhere.filter((_, other) => other !== run);
  const width = size + (others.length ? 4 : 2);
  const places: number[] = [];
  for (let place = 0; place < questions.length * size; place++)
    if (right[place]! >= 0 && own.asked[place]! > 0) places.push(place);
  const features = new Float64Array(places.length * width);
  const outcomes = new Uint8Array(places.length);
  places.forEach((place, row) => {
    const at = row * width;
    features[at + (place % size)] = 1;
    const self = logit(own.correct[place]!, own.asked[place]!);
    features[at + size] = self;
    features[at + size + 1] = self * self;
    if (others.length) {
      const sum = (of: (one: Elsewhere) => number): number => others.reduce((all, one) => all + of(one), 0);
      const theirs = logit(
        sum((one) => one.correct[place]!),
        sum((one) => one.asked[place]!),
      );
      features[at + size + 2] = theirs;
      features[at + size + 3] = theirs * theirs;
    }
    outcomes[row] = 1 - right[place]!;
  });
  const weights = fitLogistic(features, width, outcomes);
  const chances = new Float64Array(questions.length * size).fill(Number.NaN);
  places.forEach((place, row) => {
    chances[place] = chanceOf(features, row * width, weights);
  });
  return chances;
}

/**
 * The standard deviation, on the logit scale, of what runs share on a row: from how their failures go together beyond
 * the model (the moments of pairs, to the first order); 0 of a single run.
 */
function sharedSpread(rows: readonly { chances: readonly number[]; failed: number }[], runs: number): number {
  if (runs < 2) return 0;
  let [together, possible] = [0, 0];
  for (const { chances, failed } of rows) {
    const expected = chances.reduce((sum, p) => sum + p, 0);
    const variance = chances.reduce((sum, p) => sum + p * (1 - p), 0);
    const squares = chances.reduce((sum, p) => sum + (p * (1 - p)) ** 2, 0);
    // Pairs of different runs: the square of the sum without that of each.
    together += (failed - expected) ** 2 - variance;
    possible += variance ** 2 - squares;
  }
  return possible > 0 ? Math.sqrt(Math.min(4, Math.max(0, together / possible))) : 0;
}

/** The chance of so many failures or more, given each run's own chance and the spread that they share. */
export function tailOf(chances: readonly number[], failed: number, spread: number): number {
  if (failed === 0) return 1;
  if (spread === 0) return sumTail(chances, failed);
  return HERMITE.reduce((sum, [point, weight]) => {
    const shifted = chances.map((p) => {
      // The mean chance stays about what it was.
      const logits = Math.log(p / (1 - p)) * Math.sqrt(1 + 0.346 * spread ** 2);
      return 1 / (1 + Math.exp(-(logits + spread * point)));
    });
    return sum + weight * sumTail(shifted, failed);
  }, 0);
}

/** The chance that of independent events with these chances so many or more happen. */
function sumTail(chances: readonly number[], least: number): number {
  let distribution = [1];
  for (const p of chances) {
    const next = new Array<number>(distribution.length + 1).fill(0);
    distribution.forEach((chance, k) => {
      next[k]! += chance * (1 - p);
      next[k + 1]! += chance * p;
    });
    distribution = next;
  }
  return Math.min(
    1,
    distribution.slice(least).reduce((sum, chance) => sum + chance, 0),
  );
}

/** Benjamini and Hochberg's adjusted p-values (1995), in the order given. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[b]! - pValues[a]!);
  const adjusted = new Array<number>(pValues.length);
  let lowest = 1;
  order.forEach((index, place) => {
    lowest = Math.min(lowest, (pValues[index]! * pValues.length) / (pValues.length - place));
    adjusted[index] = lowest;
  });
  return adjusted;
}

function suspectOf(
  { languages, questions, subjects, keys, ids, runs }: ParallelTable,
  { place, chances, failed }: { place: number; chances: readonly number[]; failed: number },
  pValue: number,
  qValue: number,
  falseAlarms: number,
  elsewhere: readonly Elsewhere[],
): SuspectRow {
  const size = languages.length;
  const question = Math.floor(place / size);
  const letters = new Map<Letter, number>();
  for (const { cells, right } of runs) {
    const letter = cells[place]?.prediction;
    if (letter && right[place] === 0) letters.set(letter, (letters.get(letter) ?? 0) + 1);
  }
  const [wrongLetter, wrongLetterRuns = 0] =
    [...letters].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0] ?? [];
  const sum = (of: (one: Elsewhere) => number): number => elsewhere.reduce((all, one) => all + of(one), 0);
  return {
    place,
    id: ids[place]!,
    language: languages[place % size]!,
    subject: subjects[question]!,
    question: questions[question]!,
    runs: chances.length,
    failed,
    expected: chances.reduce((all, p) => all + p, 0),
    rightElsewhere:
      sum((one) => one.correct[place]!) /
      Math.max(
        1,
        sum((one) => one.asked[place]!),
      ),
    pValue,
    qValue,
    flagged: qValue <= falseAlarms,
    key: keys[place]!,
    ...(wrongLetter ? { wrongLetter } : {}),
    wrongLetterRuns,
  };
}
