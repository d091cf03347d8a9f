import type { Interval } from "../statistics/interval.js";
import { holm, mcnemarExact } from "../statistics/mcnemar.js";
import { pairedDifferenceInterval } from "../statistics/paired.js";
import type { ParallelRun, ParallelTable } from "./table.js";

/** A language's accuracy minus that of the reference, on the questions that were asked in both. */
export interface Gap {
  readonly language: string;
  /** A category, or a quarter of the language's rows; undefined for all. */
  readonly group?: string;
  /** Questions. */
  readonly n: number;
  readonly accuracy: number;
  readonly referenceAccuracy: number;
  readonly difference: number;
  /** 95 %, paired by question. */
  readonly interval: Interval;
  /** Questions that only the reference, and only the language, has right. */
  readonly onlyReference: number;
  readonly onlyLanguage: number;
  /** McNemar's exact test by question. */
  readonly pValue: number;
  /** After Holm's correction over all gaps that were asked for together. */
  readonly adjustedPValue: number;
}

/** Which questions a gap is of: undefined leaves one out. */
export type GroupOf = (question: number, language: number) => string | undefined;

/**
 * The gaps of all languages against the reference, each group of questions by itself.
 * @param groupOf nothing for one group of all
 * @param keep which places count; both the language's and the reference's must
 */
export function gaps(
  { languages, questions }: ParallelTable,
  { right }: ParallelRun,
  reference: string,
  groupOf?: GroupOf,
  keep: (place: number) => boolean = () => true,
): Gap[] {
  const size = languages.length;
  const at = languages.indexOf(reference);
  const found: Omit<Gap, "adjustedPValue">[] = [];
  languages.forEach((language, l) => {
    if (l === at) return;
    const groups = new Map<string, { n: number; both: number; onlyReference: number; onlyLanguage: number }>();
    for (let q = 0; q < questions.length; q++) {
      const [here, there] = [q * size + l, q * size + at];
      if (right[here]! < 0 || right[there]! < 0 || !keep(here) || !keep(there)) continue;
      const name = groupOf ? groupOf(q, l) : "";
      if (name === undefined) continue;
      const group = groups.get(name) ?? { n: 0, both: 0, onlyReference: 0, onlyLanguage: 0 };
      groups.set(name, group);
      group.n++;
      if (right[here] && right[there]) group.both++;
      else if (right[there]) group.onlyReference++;
      else if (right[here]) group.onlyLanguage++;
    }
    for (const [group, { n, both, onlyReference, onlyLanguage }] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1)))
      found.push({
        language,
        ...(groupOf ? { group } : {}),
        n,
        accuracy: (both + onlyLanguage) / n,
        referenceAccuracy: (both + onlyReference) / n,
        difference: (onlyLanguage - onlyReference) / n,
        interval: pairedDifferenceInterval(oneRowEach(n, onlyReference, onlyLanguage), onlyReference, onlyLanguage),
        onlyReference,
        onlyLanguage,
        pValue: mcnemarExact(onlyReference, onlyLanguage),
      });
  });
  const adjusted = holm(found.map(({ pValue }) => pValue));
  return found.map((gap, index) => ({ ...gap, adjustedPValue: adjusted[index]! }));
}

/** Clusters of one row: each question stands once in a language. */
const oneRowEach = (n: number, onlyFirst: number, onlySecond: number): { n: number; difference: number }[] =>
  Array.from({ length: n }, (_, i) => ({
    n: 1,
    difference: i < onlySecond ? 1 : i < onlySecond + onlyFirst ? -1 : 0,
  }));

/**
 * Quarters of each language's rows by a number that is known of them, from the least to the most; rows of which it is
 * not known are left out, and equal numbers stay together.
 * @param values at each place of the table
 */
export function quarters({ languages, questions }: ParallelTable, values: ArrayLike<number>): GroupOf {
  const size = languages.length;
  const bounds = languages.map((_, l) => {
    const own: number[] = [];
    for (let q = 0; q < questions.length; q++) {
      const value = values[q * size + l]!;
      if (Number.isFinite(value)) own.push(value);
    }
    own.sort((a, b) => a - b);
    return [0.25, 0.5, 0.75].map((share) => own[Math.floor(share * own.length)] ?? Number.NaN);
  });
  return (question, language) => {
    const value = values[question * size + language]!;
    if (!Number.isFinite(value)) return undefined;
    return QUARTERS[bounds[language]!.filter((bound) => value >= bound).length];
  };
}

export const QUARTERS = ["1 least", "2", "3", "4 most"] as const;
