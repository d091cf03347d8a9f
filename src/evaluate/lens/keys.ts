import type { Letter } from "../../tasks/index.js";
import type { ParallelTable } from "./table.js";

/** A question whose key is not the same in all languages. */
export interface KeyDifference {
  readonly question: string;
  readonly subject: string;
  readonly keys: Readonly<Record<string, Letter>>;
  /** The key of most languages; undefined where two are as frequent. */
  readonly usual?: Letter;
  /** Languages that have another. */
  readonly odd: readonly string[];
}

/** Questions whose key differs between languages. */
export function keyDifferences({ languages, questions, subjects, keys }: ParallelTable): KeyDifference[] {
  const size = languages.length;
  return questions.flatMap((question, q) => {
    const own = languages.flatMap((language, l) => {
      const key = keys[q * size + l];
      return key ? [[language, key] as const] : [];
    });
    const counts = new Map<Letter, number>();
    for (const [, key] of own) counts.set(key, (counts.get(key) ?? 0) + 1);
    if (counts.size < 2) return [];
    const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
    const usual = first![1] > second![1] ? first![0] : undefined;
    return [
      {
        question,
        subject: subjects[q]!,
        keys: Object.fromEntries(own),
        ...(usual ? { usual } : {}),
        odd: own.filter(([, key]) => key !== usual).map(([language]) => language),
      },
    ];
  });
}

/** A question on whose key nearly all answers of all languages and runs disagree, and agree among themselves. */
export interface DoubtfulKey {
  readonly question: string;
  readonly subject: string;
  readonly key: Letter;
  /** The letter that the answers agree on. */
  readonly answered: Letter;
  readonly share: number;
  readonly answers: number;
}

/** Answers that there must be, and the share of them with one wrong letter, for a key to be doubted. */
const [LEAST_ANSWERS, LEAST_SHARE] = [6, 0.8];

/** Questions whose key is doubtful: at least six answers, 80 % of them the same wrong letter; the surest first. */
export function doubtfulKeys({ languages, questions, subjects, keys, runs }: ParallelTable): DoubtfulKey[] {
  const size = languages.length;
  const found = questions.flatMap((question, q): DoubtfulKey[] => {
    const letters = new Map<Letter, number>();
    let answers = 0;
    for (const { cells } of runs)
      for (let l = 0; l < size; l++) {
        const one = cells[q * size + l];
        if (!one) continue;
        answers++;
        if (one.prediction && one.prediction !== one.answer)
          letters.set(one.prediction, (letters.get(one.prediction) ?? 0) + 1);
      }
    const [most] = [...letters].sort((a, b) => b[1] - a[1]);
    const key = keys.slice(q * size, (q + 1) * size).find((one) => one !== undefined);
    if (!most || !key || answers < LEAST_ANSWERS || most[1] < LEAST_SHARE * answers) return [];
    return [{ question, subject: subjects[q]!, key, answered: most[0], share: most[1] / answers, answers }];
  });
  return found.sort((a, b) => b.share * Math.sqrt(b.answers) - a.share * Math.sqrt(a.answers));
}
