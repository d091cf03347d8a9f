import type { SubjectAccuracy } from "../../evaluate/index.js";

/** Estimates that differ by less are the same number, added up in another order. */
const SAME = 1e-9;

/**
 * The subjects of the highest and of the lowest estimate, all that share it; where every one does, twice all.
 * @param subjects best first
 * @returns undefined where there are none
 */
export function endsOf<T extends Pick<SubjectAccuracy, "shrunken">>(subjects: readonly T[]): [T[], T[]] | undefined {
  const [best, worst] = [subjects[0], subjects.at(-1)];
  if (!best || !worst) return undefined;
  const alike = (one: T): T[] => subjects.filter(({ shrunken }) => Math.abs(shrunken - one.shrunken) < SAME);
  return [alike(best), alike(worst)];
}

/** Three at most, and how many more there are. */
export const some = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${(names.length - 3).toLocaleString("en")} more` : ""}`;
