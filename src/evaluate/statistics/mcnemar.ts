/**
 * McNemar's exact test (two-sided): of the pairs in which just one of two answers is right, is it as often the one as
 * the other? Twice the smaller binomial tail, at most 1 — as `scipy.stats.binomtest(b, b + c)` gives for p = 1/2.
 * @param onlyFirst pairs that only the first got right
 * @param onlySecond pairs that only the second got right
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  if (n === 0) return 1;
  const k = Math.min(onlyFirst, onlySecond);
  let logTerm = -n * Math.LN2;
  let tail = 0;
  for (let i = 0; i <= k; i++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(n - i) - Math.log(i + 1);
  }
  return Math.min(1, 2 * tail);
}

/** Holm's step-down correction (1979): adjusted p-values in the order given. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const adjusted = new Array<number>(pValues.length);
  let highest = 0;
  order.forEach((index, rank) => {
    highest = Math.max(highest, Math.min(1, (pValues.length - rank) * (pValues[index] as number)));
    adjusted[index] = highest;
  });
  return adjusted;
}
