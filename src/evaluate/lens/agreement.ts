import type { ParallelRun, ParallelTable } from "./table.js";

/** How two languages' answers to the same questions agree. */
export interface PairAgreement {
  /** Questions that were asked in both. */
  readonly n: number;
  /** The share with the same letter; unreadable replies agree with nothing. */
  readonly sameLetter: number;
  /** The share that is right in both or wrong in both. */
  readonly sameOutcome: number;
  /**
   * The same beyond what two accuracies alone make (Cohen's κ of right and wrong, called error consistency by Geirhos,
   * Meding and Wichmann 2020): 0 as by lot, 1 always alike; undefined where an accuracy leaves nothing to tell.
   */
  readonly kappa?: number;
  /** Of the questions wrong in both with a letter each, the share with the same wrong letter. */
  readonly sameWrongLetter?: number;
}

/** Agreement of each pair of languages of one run, by the languages' places; on the diagonal each with itself. */
export function agreement({ languages, questions }: ParallelTable, { right, cells }: ParallelRun): PairAgreement[][] {
  const size = languages.length;
  return languages.map((_, a) =>
    languages.map((__, b): PairAgreement => {
      let [n, same, outcome, rightA, rightB, wrong, sameWrong] = [0, 0, 0, 0, 0, 0, 0];
      for (let q = 0; q < questions.length; q++) {
        const [first, second] = [right[q * size + a]!, right[q * size + b]!];
        if (first < 0 || second < 0) continue;
        n++;
        rightA += first;
        rightB += second;
        if (first === second) outcome++;
        const [one, other] = [cells[q * size + a]!.prediction, cells[q * size + b]!.prediction];
        if (one === null || other === null) continue;
        if (one === other) same++;
        if (first + second > 0) continue;
        wrong++;
        if (one === other) sameWrong++;
      }
      const [p, r] = [rightA / n, rightB / n];
      const byLot = p * r + (1 - p) * (1 - r);
      return {
        n,
        sameLetter: n ? same / n : 0,
        sameOutcome: n ? outcome / n : 0,
        ...(n && byLot < 1 ? { kappa: (outcome / n - byLot) / (1 - byLot) } : {}),
        ...(wrong ? { sameWrongLetter: sameWrong / wrong } : {}),
      };
    }),
  );
}

/** In how many languages questions are right. */
export interface RightIn {
  /** Questions that were asked in every language. */
  readonly n: number;
  /** How many of them are right in 0, 1, … all languages. */
  readonly counts: readonly number[];
  /** How many would be, were languages of these accuracies right independently of each other. */
  readonly independent: readonly number[];
  /** Of the questions that one language alone has right, and wrong: how many each language has. */
  readonly rightAlone: readonly number[];
  readonly wrongAlone: readonly number[];
}

/** Counts, of the questions asked in every language, in how many they are right. */
export function rightIn({ languages, questions }: ParallelTable, { right }: ParallelRun): RightIn {
  const size = languages.length;
  const counts = new Array<number>(size + 1).fill(0);
  const rightAlone = new Array<number>(size).fill(0);
  const wrongAlone = new Array<number>(size).fill(0);
  const total = new Array<number>(size).fill(0);
  let n = 0;
  for (let q = 0; q < questions.length; q++) {
    const row = right.subarray(q * size, (q + 1) * size);
    if (row.includes(-1)) continue;
    n++;
    const sum = row.reduce((all, one) => all + one, 0);
    counts[sum]!++;
    if (sum === 1) rightAlone[row.indexOf(1)]!++;
    if (sum === size - 1) wrongAlone[row.indexOf(0)]!++;
    for (let l = 0; l < size; l++) total[l]! += row[l]!;
  }
  let chances = [1];
  for (const one of total) {
    const p = n ? one / n : 0;
    const next = new Array<number>(chances.length + 1).fill(0);
    chances.forEach((chance, k) => {
      next[k]! += chance * (1 - p);
      next[k + 1]! += chance * p;
    });
    chances = next;
  }
  return { n, counts, independent: chances.map((chance) => n * chance), rightAlone, wrongAlone };
}
