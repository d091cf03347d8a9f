import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";

/**
 * The name that was probably meant: the one with the fewest letters to change, add, leave out or swap with their
 * neighbour (optimal string alignment), else the shortest that begins so, case aside; before these the only one that
 * holds it whole; undefined where there is none.
 */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const word = given.slice(0, 100).toLowerCase();
  const holding = names.filter((name) => word.length > 2 && name.toLowerCase().includes(word));
  if (holding.length === 1) return holding[0];
  let [best, least] = [undefined as string | undefined, Math.max(1, Math.floor(word.length * 0.4)) + 1];
  for (const name of names) {
    const found = distance(word, name.toLowerCase());
    if (found < least) [best, least] = [name, found];
  }
  if (best !== undefined || word.length < 2) return best;
  const longer = names.filter((name) => name.toLowerCase().startsWith(word));
  return longer.reduce<string | undefined>((a, b) => (a === undefined || b.length < a.length ? b : a), undefined);
}

/** `; did you mean NAME?`, or nothing. */
export const didYouMean = (given: string, names: readonly string[]): string => {
  const name = nearest(given, names);
  return name === undefined ? "" : `; did you mean ${name}?`;
};

/** `; did you mean NAME?` of a path that is not there, by what stands beside it, or nothing. */
export function didYouMeanBeside(path: string): string {
  const folder = dirname(resolve(path));
  try {
    // A link that leads nowhere stands there under the very name.
    const beside = existsSync(folder) ? readdirSync(folder).filter((name) => name !== basename(path)) : [];
    const near = nearest(basename(path), beside);
    return near === undefined ? "" : `; did you mean ${path.slice(0, path.lastIndexOf(basename(path)))}${near}?`;
  } catch {
    return "";
  }
}

function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : changed;
      row.push(Math.min(changed, swapped, last[j]! + 1, row[j - 1]! + 1));
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
