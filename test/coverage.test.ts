import { describe, expect, it } from "vitest";
import { accuracyCells, lowestShare, macroCells, pairedCells, testCells } from "../bench/coverage/coverage.js";
import { uniforms } from "../bench/coverage/draws.js";
import { populations, shareOf } from "../bench/coverage/populations.js";
import {
  type Cluster,
  calibration,
  clopperPearsonInterval,
  clusteredInterval,
  clusteredMcnemarExact,
  effectiveCounts,
  intraclassCorrelation,
  macroInterval,
  minimumDetectableDifference,
  type Prediction,
  pairedDifferenceInterval,
  shrink,
  wilsonInterval,
} from "../src/evaluate/index.js";

/*
 * A part of `npm run simulate:coverage`: the numbers are drawn from fixed seeds, so that the shares are always the
 * same.
 */
const REPEATS = 100;

describe("simulated runs", () => {
  it.each([
    [2, 14],
    [5, 5],
    [20, 1],
    [20, 14],
    [50, 14],
  ])("%i questions in %i languages: the clustered interval covers in every population", (questions, languages) => {
    const found = lowestShare(accuracyCells(questions, languages), REPEATS, 1);
    expect([found.where, found.lowest > 0.94, found.mean > 0.95]).toEqual([found.where, true, true]);
  });

  it("the interval of many questions is no wider than it must be", () => {
    const found = lowestShare(accuracyCells(1000, 2), 10, 1);
    expect(found.mean).toBeLessThan(0.975);
  });

  it.each([
    [5, 14],
    [20, 14],
    [50, 2],
  ])("%i questions in %i languages: the interval of a difference covers", (questions, languages) => {
    const found = lowestShare(pairedCells(questions, languages), REPEATS, 1);
    expect([found.where, found.lowest > 0.94]).toEqual([found.where, true]);
  });

  it("the macro average's interval covers, over 20 subjects of five questions or about as many", () => {
    const found = lowestShare(macroCells(20, 5, 14), REPEATS, 1);
    expect([found.where, found.lowest > 0.94]).toEqual([found.where, true]);
  });

  it("the test by question keeps 0.05 where questions are few, the one by row does not", () => {
    expect(lowestShare(testCells(20, 14, "question"), REPEATS, 1).lowest).toBeGreaterThan(0.94);
    expect(lowestShare(testCells(20, 14, "row"), REPEATS, 1).lowest).toBeLessThan(0.7);
  });
});

describe("subjects of many translations", () => {
  it("are drawn to the mean as their questions, not their rows, allow", () => {
    const draw = uniforms(3);
    const squares = { raw: 0, byRow: 0, byQuestion: 0 };
    let correlation = 0;
    for (let repeat = 0; repeat < 40; repeat++) {
      const truths = Array.from({ length: 57 }, () => 0.45 + 0.3 * draw());
      const groups = truths.map((accuracy) =>
        populations["beta-binomial"]!({ questions: 5, languages: 14, accuracy, correlation: 0.5 })(draw),
      );
      correlation += intraclassCorrelation(groups) / 40;
      const rows = groups.map((clusters) => ({ n: 70, correct: clusters.reduce((sum, one) => sum + one.correct, 0) }));
      const estimates = { byRow: shrink(rows).estimates, byQuestion: shrink(effectiveCounts(groups)).estimates };
      truths.forEach((truth, index) => {
        squares.raw += (rows[index]!.correct / 70 - truth) ** 2;
        squares.byRow += (estimates.byRow[index]! - truth) ** 2;
        squares.byQuestion += (estimates.byQuestion[index]! - truth) ** 2;
      });
    }
    expect(Math.abs(correlation - 0.5)).toBeLessThan(0.03);
    expect(squares.byQuestion / squares.raw).toBeLessThan(0.4);
    expect(squares.byRow / squares.raw).toBeGreaterThan(0.7);
  });

  it("show a calibration error by chance, as large as is told", () => {
    const draw = uniforms(5);
    for (const [questions, languages, copy] of [
      [200, 1, 0],
      [50, 5, 0.8],
    ] as const) {
      let [found, told] = [0, 0];
      for (let repeat = 0; repeat < 60; repeat++) {
        const rows = Array.from({ length: questions }, (_, question) => {
          const shared = draw();
          return Array.from({ length: languages }, (_, language): Prediction => {
            const confidence = 0.3 + 0.69 * draw();
            const right = (draw() < copy ? shared : draw()) < confidence;
            const other = Math.log((1 - confidence) / 3);
            return {
              id: `L${language}/anatomy/${question}`,
              language: `L${language}`,
              subject: "anatomy",
              answer: right ? "A" : "B",
              prediction: "A",
              reply: "A",
              stage: "test",
              logProbabilities: [Math.log(confidence), other, other, other],
            };
          });
        }).flat();
        const { expectedCalibrationError, errorIfCalibrated } = calibration(rows)!;
        found += expectedCalibrationError;
        told += errorIfCalibrated;
      }
      expect(told / found).toBeGreaterThan(0.85);
      expect(told / found).toBeLessThan(1.15);
    }
  });
});

it.each([
  [500, 1, 0.1, 0],
  [40, 14, 0.2, 0.3],
  [300, 5, 0.2, 0.9],
])("%i questions in %i languages find the difference that is told in four of five samples", (...setting) => {
  const [questions, languages, discordance, correlation] = setting;
  const difference = minimumDetectableDifference(questions, { languages, discordance, correlation })!;
  const found = shareOf(400, 9, (draw) => {
    const change = (): number => {
      const at = draw();
      return at < (discordance + difference) / 2 ? 1 : at < discordance ? -1 : 0;
    };
    const differences = Array.from({ length: questions }, () => {
      const shared = change();
      let sum = 0;
      for (let row = 0; row < languages; row++) sum += draw() < Math.sqrt(correlation) ? shared : change();
      return sum;
    });
    return clusteredMcnemarExact(differences) < 0.05;
  });
  expect(found).toBeGreaterThan(0.74);
  expect(found).toBeLessThan(0.86);
});

describe("where the rows say little of their spread", () => {
  const all = (questions: number, n: number, correct: number): Cluster[] =>
    Array.from({ length: questions }, () => ({ n, correct }));

  it("all right or all wrong is as sure as one row a question", () => {
    for (const questions of [1, 2, 20, 400]) {
      expect(clusteredInterval(all(questions, 14, 14)).interval[0]).toBeCloseTo(
        clopperPearsonInterval(questions, questions)[0],
        10,
      );
      expect(clusteredInterval(all(questions, 14, 0)).interval[1]).toBeCloseTo(
        clopperPearsonInterval(0, questions)[1],
        10,
      );
    }
  });

  it("no interval is empty or leaves out what was measured", () => {
    for (const questions of [1, 2, 3, 20])
      for (const n of [1, 2, 14])
        for (const correct of [0, 1, n])
          for (const uneven of [[], [{ n: 14, correct: 3 }], [{ n: 1, correct: 1 }]]) {
            const clusters = [...all(questions, n, correct), ...uneven];
            const rows = clusters.reduce((sum, cluster) => sum + cluster.n, 0);
            const share = clusters.reduce((sum, cluster) => sum + cluster.correct, 0) / rows;
            for (const [low, high] of [clusteredInterval(clusters).interval, macroInterval([clusters])])
              expect([low <= share + 1e-12, share - 1e-12 <= high, low >= 0, high <= 1, high - low > 0.01]).toEqual(
                new Array(5).fill(true),
              );
          }
    expect(clusteredInterval([])).toMatchObject({ interval: [0, 1], clusters: 0 });
    expect(macroInterval([])).toEqual([0, 1]);
    expect(pairedDifferenceInterval([], 0, 0)).toEqual([-1, 1]);
  });

  it("runs that agree everywhere may still differ a little, the less the more questions there are", () => {
    const widths = [1, 5, 50, 1000].map((questions) => {
      const clusters = Array.from({ length: questions }, () => ({ n: 14, difference: 0 }));
      const [low, high] = pairedDifferenceInterval(clusters, 0, 0);
      expect(low).toBeCloseTo(-high, 12);
      return high - low;
    });
    expect(widths).toEqual([...widths].sort((a, b) => b - a));
    expect(widths.at(-1)).toBeGreaterThan(0);
  });

  it("one row a question is Clopper and Pearson's interval, a little wider than Wilson's", () => {
    const clusters = [...all(80, 1, 1), ...all(20, 1, 0)];
    const found = clusteredInterval(clusters);
    expect(found.interval[0]).toBeCloseTo(clopperPearsonInterval(80, 100)[0], 10);
    expect(found.interval[0]).toBeLessThan(wilsonInterval(80, 100)[0]);
    expect(found).toMatchObject({ designEffect: 1, effectiveSampleSize: expect.closeTo(100, 8) });
  });
});
