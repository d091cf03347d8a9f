import { isCorrect, questionOfAnswer } from "../../evaluate/index.js";
import { generator } from "../../split/index.js";
import type { Result } from "../result.js";
import type { ExplainedPart } from "./explain.js";

/** What is due to rows that only one of both has, with a bootstrap over questions. */
export function rowsPart(a: Result, b: Result, common: ReadonlySet<string>, seed: number): Omit<ExplainedPart, "said"> {
  const count =
    a.predictions.filter(({ id }) => !common.has(id)).length + b.predictions.filter(({ id }) => !common.has(id)).length;
  const title = "rows";
  if (count === 0) return { name: "rows", title, value: 0, rows: 0 };
  // Of each question: rows and right ones of both, in all and in common.
  const questions = new Map<string, Float64Array>();
  [a, b].forEach(({ predictions }, which) => {
    for (const one of predictions) {
      const question = questionOfAnswer(one);
      const sums = questions.get(question) ?? new Float64Array(8);
      questions.set(question, sums);
      const right = Number(isCorrect(one));
      sums[4 * which]!++;
      sums[4 * which + 1]! += right;
      if (!common.has(one.id)) continue;
      sums[4 * which + 2]!++;
      sums[4 * which + 3]! += right;
    }
  });
  const all = [...questions.values()];
  const of = (sums: Float64Array): number =>
    sums[5]! / sums[4]! - sums[7]! / sums[6]! - (sums[1]! / sums[0]! - sums[3]! / sums[2]!);
  const total = new Float64Array(8);
  for (const one of all) for (let k = 0; k < 8; k++) total[k]! += one[k]!;
  const draw = generator(seed);
  const values: number[] = [];
  for (let round = 0; round < 1000; round++) {
    const sums = new Float64Array(8);
    for (let i = 0; i < all.length; i++) {
      const picked = all[draw.bounded(all.length - 1)]!;
      for (let k = 0; k < 8; k++) sums[k]! += picked[k]!;
    }
    const value = of(sums);
    if (Number.isFinite(value)) values.push(value);
  }
  values.sort((x, y) => x - y);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))] ?? Number.NaN;
  return { name: "rows", title, value: of(total), rows: count, interval: [at(0.025), at(0.975)] };
}
