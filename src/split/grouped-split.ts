import { UserError } from "../base/errors.js";
import type { Row } from "../tasks/index.js";
import { questionGroups } from "./groups.js";
import { generator } from "./numpy-generator.js";
import type { Splits } from "./splits.js";
import { compareCodePoints } from "./train-test-split.js";

export interface GroupedSplitOptions {
  /** Shares of the rows; the rest is train. */
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
}

/**
 * A split that keeps translations and exact duplicates of a question on one side, stratified by subject: within each
 * subject whole groups are dealt in random order until a part has its share; what rounding leaves over is carried on to
 * the next subject, so that the parts' sizes come out right over all.
 * @throws {UserError} where there are too few questions for a part to get any
 */
export function groupedSplit(rows: readonly Row[], options: GroupedSplitOptions): Splits {
  const bySubject = new Map<string, number[][]>();
  for (const group of questionGroups(rows)) {
    const subject = (rows[group[0] as number] as Row).subject;
    const groups = bySubject.get(subject);
    if (groups) groups.push(group);
    else bySubject.set(subject, [group]);
  }
  const random = generator(options.seed);
  const parts: Record<"train" | "validation" | "test", number[]> = { train: [], validation: [], test: [] };
  const owed = { validation: 0, test: 0 };
  for (const subject of [...bySubject.keys()].sort(compareCodePoints)) {
    const groups = bySubject.get(subject) as number[][];
    const order = random.permutation(groups.length);
    const size = groups.reduce((sum, group) => sum + group.length, 0);
    owed.test += options.test * size;
    owed.validation += options.validation * size;
    let [at, kept] = [0, size];
    for (const part of ["test", "validation"] as const) {
      // A group goes in while more than half of it is owed, and train keeps at least one.
      for (; at < groups.length; at++) {
        const group = groups[order[at] as number] as number[];
        if (owed[part] < group.length / 2 || kept - group.length <= 0) break;
        parts[part].push(...group);
        owed[part] -= group.length;
        kept -= group.length;
      }
    }
    for (; at < groups.length; at++) parts.train.push(...(groups[order[at] as number] as number[]));
  }
  if (
    parts.train.length === 0 ||
    parts.test.length === 0 ||
    (options.validation > 0 && parts.validation.length === 0)
  ) {
    throw new UserError(`${rows.length} rows hold too few questions for a grouped split`, { hint: "Take more rows." });
  }
  const pick = (indices: number[]): Row[] =>
    Array.from(random.shuffled(Int32Array.from(indices)), (index) => rows[index] as Row);
  return { train: pick(parts.train), validation: pick(parts.validation), test: pick(parts.test) };
}
