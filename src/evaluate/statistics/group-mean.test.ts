import { describe, expect, it } from "vitest";
import { generator } from "../../split/index.js";
import { groupMean, type PairedRow, pairedGroupMeanDifference, unpairedDifferenceInterval } from "./group-mean.js";
import { clopperPearsonInterval, clusteredInterval } from "./interval.js";
import { pairedDifferenceInterval } from "./paired.js";

const draw = generator(7);
const chance = (share: number): boolean => draw.bounded(9999) < share * 10_000;

/** Answers of two to questions in several languages; a question's rows are more alike than those of others. */
function answers(questions: number, languages: number, asked = (_question: number, _language: number) => true) {
  const rows: (PairedRow & { right: boolean })[] = [];
  for (let question = 0; question < questions; question++) {
    const ease = chance(0.5) ? 0.85 : 0.35;
    for (let group = 0; group < languages; group++) {
      const first = chance(ease - 0.03 * group);
      const second = chance(ease + 0.05 - 0.03 * group);
      if (asked(question, group)) rows.push({ question, group, first, second, right: second });
    }
  }
  return rows;
}

const clustersOf = (rows: readonly PairedRow[]) =>
  [...new Set(rows.map(({ question }) => question))].map((question) => {
    const own = rows.filter((row) => row.question === question);
    return {
      n: own.length,
      correct: own.filter(({ second }) => second).length,
      difference: own.reduce((sum, { first, second }) => sum + Number(second) - Number(first), 0),
    };
  });

describe("the mean of groups", () => {
  it.each([1, 4])("of %i languages with all questions is that of all rows", (languages) => {
    const rows = answers(150, languages);
    const { mean, interval, groups } = groupMean(rows);
    const clusters = clustersOf(rows);
    expect(groups).toBe(languages);
    expect(mean).toBeCloseTo(rows.filter(({ right }) => right).length / rows.length, 12);
    // Deviations are taken from each language's own accuracy: what lies between languages is no noise.
    const all = clusteredInterval(clusters).interval;
    interval.forEach((bound, side) =>
      expect(Math.abs(bound - all[side]!)).toBeLessThan(languages === 1 ? 1e-12 : 2e-3),
    );
    const paired = pairedGroupMeanDifference(rows);
    const only = (which: "first" | "second") =>
      rows.filter((row) => row[which] && !row[which === "first" ? "second" : "first"]).length;
    const expected = pairedDifferenceInterval(clusters, only("first"), only("second"));
    paired.interval.forEach((bound, side) =>
      expect(Math.abs(bound - expected[side]!)).toBeLessThan(languages === 1 ? 1e-12 : 2e-3),
    );
  });

  it("counts each group the same, however many rows it has", () => {
    const rows = [
      ...Array.from({ length: 90 }, (_, question) => ({ question, group: 0, right: true })),
      ...Array.from({ length: 10 }, (_, question) => ({ question, group: 1, right: false })),
    ];
    expect(groupMean(rows).mean).toBe(0.5);
    expect(groupMean([]).interval).toEqual([0, 1]);
    expect(pairedGroupMeanDifference([]).interval).toEqual([-1, 1]);
  });

  it("is covered by its interval as often as it says, of languages that were asked different questions", () => {
    const truth = { mean: 0, difference: 0 };
    const languages = 3;
    for (let group = 0; group < languages; group++) truth.mean += (0.6 + 0.05 - 0.03 * group) / languages;
    truth.difference = 0.05;
    let [covered, coveredPaired] = [0, 0];
    const trials = 400;
    for (let trial = 0; trial < trials; trial++) {
      const rows = answers(120, languages, (question, group) => group === 0 || question % (2 * group) === 0);
      const { interval } = groupMean(rows);
      if (interval[0] <= truth.mean && truth.mean <= interval[1]) covered++;
      const paired = pairedGroupMeanDifference(rows).interval;
      if (paired[0] <= truth.difference && truth.difference <= paired[1]) coveredPaired++;
    }
    // Four standard errors of the count below 95 %.
    const least = trials * (0.95 - 4 * Math.sqrt((0.95 * 0.05) / trials));
    expect(covered).toBeGreaterThan(least);
    expect(coveredPaired).toBeGreaterThan(least);
  });
});

describe("the difference of two that were not measured on the same rows", () => {
  it("is Newcombe's: his example of 56 of 70 and 48 of 80", () => {
    // Newcombe (1998), table II (a), method 10, from Wilson's intervals.
    const wilson = (correct: number, n: number, low: number, high: number) => ({
      mean: correct / n,
      interval: [low, high] as const,
    });
    const [low, high] = unpairedDifferenceInterval(wilson(48, 80, 0.4904, 0.7003), wilson(56, 70, 0.6918, 0.877));
    expect(low).toBeCloseTo(0.0524, 3);
    expect(high).toBeCloseTo(0.3339, 3);
  });

  it("turns round with its sides", () => {
    const [a, b] = [
      { mean: 0.4, interval: clopperPearsonInterval(40, 100) },
      { mean: 0.7, interval: clopperPearsonInterval(70, 100) },
    ];
    const [low, high] = unpairedDifferenceInterval(a, b);
    expect(unpairedDifferenceInterval(b, a)).toEqual([-high, -low]);
  });
});
