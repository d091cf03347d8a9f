import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Letter, mmmlu } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import { betaQuantile, normalQuantile, studentQuantile } from "./distributions.js";
import {
  calibration,
  clopperPearsonInterval,
  clusteredInterval,
  clusteredMcnemarExact,
  compareRuns,
  evaluationStatistics,
  holm,
  mcnemarExact,
  minimumDetectableDifference,
  type PairedDesign,
  requiredQuestions,
  shrink,
  wilsonInterval,
} from "./index.js";

const LETTERS = mmmlu.letters;

/** Made by reference/evaluation_statistics.py with scipy and statsmodels. */
const golden = JSON.parse(readFileSync(new URL("../../../reference/golden/statistics.json", import.meta.url), "utf8"));

describe("against scipy and statsmodels", () => {
  it.each(golden.wilson as { correct: number; n: number; interval: [number, number] }[])(
    "Wilson's interval of $correct of $n",
    ({ correct, n, interval }) => {
      const [low, high] = wilsonInterval(correct, n);
      expect(low).toBeCloseTo(interval[0], 12);
      expect(high).toBeCloseTo(interval[1], 12);
    },
  );

  it.each(golden.clopperPearson as { correct: number; n: number; interval: [number, number] }[])(
    "Clopper and Pearson's interval of $correct of $n",
    ({ correct, n, interval }) => {
      const [low, high] = clopperPearsonInterval(correct, n);
      expect(low).toBeCloseTo(interval[0], 10);
      expect(high).toBeCloseTo(interval[1], 10);
    },
  );

  it.each(golden.power as (PairedDesign & { questions: number; difference: number })[])(
    "the difference that $questions questions in $languages languages can show, and the questions that it needs",
    ({ questions, difference, ...design }) => {
      expect(minimumDetectableDifference(questions, design)).toBeCloseTo(difference, 9);
      expect(requiredQuestions(difference, design)).toBe(questions);
    },
  );

  it("quantiles of the normal, Student's and the beta distribution", () => {
    const { normal, student, beta } = golden.quantiles;
    for (const { share, z } of normal) expect(normalQuantile(share)).toBeCloseTo(z, 10);
    for (const { level, degreesOfFreedom, t } of student)
      expect(studentQuantile(level, degreesOfFreedom) / t).toBeCloseTo(1, 9);
    for (const { share, a, b, x } of beta) expect(betaQuantile(share, a, b)).toBeCloseTo(x, 10);
  });

  it.each(golden.mcnemar as { first: number; second: number; p: number; binomtest: number }[])(
    "McNemar's exact test of $first : $second",
    ({ first, second, p, binomtest }) => {
      expect(mcnemarExact(first, second)).toBeCloseTo(p, 10);
      expect(mcnemarExact(first, second)).toBeCloseTo(binomtest, 10);
    },
  );

  it.each(golden.clusteredMcnemar as { differences: number[]; p: number }[])(
    "the exact test by question of $differences",
    ({ differences, p }) => {
      expect(clusteredMcnemarExact(differences)).toBeCloseTo(p, 12);
    },
  );

  it("the exact test by question is McNemar's where each question has one row", () => {
    for (const [first, second] of [
      [0, 0],
      [3, 9],
      [10, 10],
      [59, 6],
      [300, 250],
    ] as const) {
      const differences = [...new Array<number>(first).fill(-1), ...new Array<number>(second).fill(1), 0, 0, 0];
      expect(clusteredMcnemarExact(differences)).toBeCloseTo(mcnemarExact(first, second), 10);
    }
    // Twins that move together are half as many observations.
    expect(clusteredMcnemarExact(new Array<number>(5).fill(2))).toBeCloseTo(mcnemarExact(0, 5), 12);
  });

  it("Holm's correction", () => {
    for (const { p, adjusted } of golden.holm as { p: number[]; adjusted: number[] }[])
      holm(p).forEach((value, index) => expect(value).toBeCloseTo(adjusted[index]!, 12));
  });

  it("the cluster-robust standard error", () => {
    for (const { groups, correct, standardError } of golden.clustered as {
      groups: number[];
      correct: number[];
      standardError: number;
    }[]) {
      const clusters = new Map<number, { n: number; correct: number }>();
      groups.forEach((group, row) => {
        const cluster = clusters.get(group) ?? { n: 0, correct: 0 };
        clusters.set(group, { n: cluster.n + 1, correct: cluster.correct + correct[row]! });
      });
      expect(clusteredInterval([...clusters.values()]).standardError).toBeCloseTo(standardError, 10);
    }
  });

  it("the beta-binomial's most likely weight, and the shrunken estimates", () => {
    for (const { n, correct, weight, estimates } of golden.shrinkage as {
      n: number[];
      correct: number[];
      weight: number;
      estimates: number[];
    }[]) {
      const found = shrink(n.map((rows, index) => ({ n: rows, correct: correct[index]! })));
      expect(found.weight / weight).toBeCloseTo(1, 3);
      found.estimates.forEach((value, index) => expect(value).toBeCloseTo(estimates[index]!, 5));
    }
  });
});

const REPEATS = 2000;

/** Marsaglia's xorshift: uniform in (0, 1), quick enough for millions of draws. */
function uniforms(seed: number): () => number {
  let state = seed * 2654435769 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
}

/** Share of repeated samples whose interval holds the truth. */
function coverage(
  seed: number,
  repeats: number,
  sample: (draw: () => number) => { interval: readonly [number, number]; truth: number },
): number {
  const draw = uniforms(seed);
  let held = 0;
  for (let i = 0; i < repeats; i++) {
    const { interval, truth } = sample(draw);
    if (interval[0] <= truth && truth <= interval[1]) held++;
  }
  return held / repeats;
}

describe("an interval that claims 95 % covers in 94 to 96 %", () => {
  it("Wilson's of independent rows, over accuracies from 25 to 90 %", () => {
    const share = coverage(1, 8 * REPEATS, (draw) => {
      const truth = 0.25 + 0.65 * draw();
      let correct = 0;
      for (let i = 0; i < 400; i++) if (draw() < truth) correct++;
      return { interval: wilsonInterval(correct, 400), truth };
    });
    expect(share).toBeGreaterThan(0.94);
    expect(share).toBeLessThan(0.96);
  });
});

const prediction = (id: string, answer: Letter, given: Letter | null, more: Partial<Prediction> = {}): Prediction => {
  const [language, subject] = id.split("/") as [string, string];
  return { id, language, subject, answer, prediction: given, reply: given ?? "?", stage: "test", ...more };
};

describe("statistics of a set of answers", () => {
  const answers = [
    ...Array.from({ length: 40 }, (_, i) =>
      prediction(`DE_DE/anatomy/${i}`, LETTERS[i % 4]!, i % 2 ? LETTERS[i % 4]! : "A"),
    ),
    ...Array.from({ length: 40 }, (_, i) =>
      prediction(`FR_FR/anatomy/${i}`, LETTERS[i % 4]!, i % 2 ? LETTERS[i % 4]! : null),
    ),
    prediction("DE_DE/virology/0", "B", "B"),
    prediction("FR_FR/virology/0", "B", "B"),
  ];
  const found = evaluationStatistics(answers);

  it("counts unreadable as wrong, by language, category and subject", () => {
    expect(found.overall).toMatchObject({ n: 82, correct: 30 + 20 + 2 });
    expect(found.unreadableShare).toBeCloseTo(20 / 82, 12);
    expect(Object.fromEntries(found.languages.map((one) => [one.language, one.correct]))).toEqual({
      DE_DE: 31,
      FR_FR: 21,
    });
    expect(found.clustered.clusters).toBe(41);
    expect(found.macroAccuracy).toBeCloseTo((50 / 80 + 1) / 2, 12);
    expect(found.macroInterval[0]).toBeLessThan(found.macroAccuracy);
    expect(found.macroInterval[1]).toBeGreaterThan(found.macroAccuracy);
  });

  it("does not let two rows win: few questions are marked and drawn towards the mean", () => {
    const virology = found.subjects.find(({ subject }) => subject === "virology")!;
    expect(virology).toMatchObject({ n: 2, questions: 1, accuracy: 1, fewQuestions: true });
    expect(virology.shrunken).toBeLessThan(1);
    expect(virology.interval[0]).toBeLessThan(0.4);
    // Both rows are translations of one question: no more sure than a single row.
    expect(virology.clusteredInterval).toEqual(clopperPearsonInterval(1, 1));
  });

  it("finds a liking for a letter among readable replies", () => {
    const a = found.letters.find(({ letter }) => letter === "A")!;
    expect(a.excess).toBeGreaterThan(0.15);
    expect(found.letters.reduce((sum, { excess }) => sum + excess, 0)).toBeCloseTo(0, 12);
  });

  it("calibration of perfect and of overconfident probabilities", () => {
    const sure = (p: number): [number, number, number, number] => [
      Math.log(p),
      Math.log((1 - p) / 3),
      Math.log((1 - p) / 3),
      Math.log((1 - p) / 3),
    ];
    const rows = Array.from({ length: 100 }, (_, i) =>
      prediction(`DE_DE/anatomy/${i}`, i < 70 ? "A" : "B", "A", { logProbabilities: sure(0.7) }),
    );
    expect(calibration(rows)!.expectedCalibrationError).toBeCloseTo(0, 10);
    expect(
      calibration(rows.map((row) => ({ ...row, logProbabilities: sure(0.9) })))!.expectedCalibrationError,
    ).toBeCloseTo(0.2, 10);
    // Brier over four letters: 0.7·(0.3² + 3·0.1²) + 0.3·(0.7² + 0.9² + 2·0.1²)
    expect(calibration(rows)!.brier).toBeCloseTo(0.7 * (0.09 + 0.03) + 0.3 * (0.49 + 0.81 + 0.02), 10);
    expect(calibration(answers)).toBeUndefined();
  });
});

describe("planning a comparison", () => {
  const design = { languages: 2, discordance: 0.2, correlation: 0.5 };

  it("says so where no difference that there can be would be found", () => {
    expect(minimumDetectableDifference(5, design)).toBeUndefined();
    expect(minimumDetectableDifference(20_000, design)).toBeLessThan(0.01);
  });

  it.each([
    [{ ...design, discordance: 0 }, /discordance must be above 0 and at most 1, not 0/],
    [{ ...design, correlation: -0.1 }, /correlation must be from 0 to 1, not -0.1/],
    [{ ...design, languages: 0 }, /languages must be 1 or more, not 0/],
    [{ ...design, power: 0.01 }, /power must be between alpha and 1, not 0.01/],
    [{ ...design, alpha: Number.NaN }, /alpha must be between 0 and 1, not NaN/],
  ])("refuses %o", (wrong, message) => {
    expect(() => minimumDetectableDifference(100, wrong)).toThrow(message);
    expect(() => requiredQuestions(0.05, wrong)).toThrow(message);
  });

  it("refuses a difference larger than the discordance", () => {
    expect(() => requiredQuestions(0.3, design)).toThrow(/no more than the discordance 0.2, not 0.3/);
    expect(() => requiredQuestions(0, design)).toThrow(/must be above 0/);
    expect(() => minimumDetectableDifference(0, design)).toThrow(/questions must be 1 or more/);
  });
});

describe("comparing runs", () => {
  it("refuses a run that answers a row twice", () => {
    const twice = run("two", () => true, [...rows, rows[7]!]);
    expect(() => compareRuns([run("one", () => true), twice])).toThrow(/two answers DE_DE\/anatomy\/7 more than once/);
  });

  const rows = Array.from({ length: 200 }, (_, i) => `DE_DE/${i < 100 ? "anatomy" : "virology"}/${i}`);
  const run = (name: string, right: (i: number) => boolean, ids = rows) => ({
    name,
    predictions: ids.map((id, i) => prediction(id, "A", right(i) ? "A" : "B")),
  });

  it("on common rows alone, saying how many are left out", () => {
    const comparison = compareRuns([run("one", () => true), run("two", () => true, rows.slice(0, 150))]);
    expect(comparison).toMatchObject({
      rows: 150,
      runs: [
        { answered: 200, leftOut: 50 },
        { answered: 150, leftOut: 0 },
      ],
    });
    expect(comparison.pairs[0]).toMatchObject({
      difference: 0,
      pValue: 1,
      interval: [expect.any(Number), expect.any(Number)],
    });
    // No row changed, which says little where there are few.
    const [low, high] = comparison.pairs[0]!.interval;
    expect([low < 0, high > 0, high < 0.03, low > -0.03]).toEqual([true, true, true, true]);
  });

  it("names the subject that moved and no other, the same from the same seed", () => {
    const [one, two] = [run("one", (i) => i % 2 === 0), run("two", (i) => i < 100 || i % 2 === 0)];
    const [pair] = compareRuns([one, two]).pairs;
    expect(pair!.subjects.filter(({ moved }) => moved).map(({ subject }) => subject)).toEqual(["anatomy"]);
    expect(pair).toMatchObject({ onlyFirst: 0, onlySecond: 50, difference: 0.25 });
    expect(pair!.interval[0]).toBeGreaterThan(0.15);
    expect(compareRuns([one, two])).toEqual(compareRuns([one, two]));
  });

  it("does not call a subject moved on the strength of translations that move together", () => {
    // Ten questions in ten languages; the second run gets five of them right in every language, the first none.
    const ids = Array.from(
      { length: 100 },
      (_, i) =>
        `${["DE_DE", "FR_FR", "ES_LA", "IT_IT", "AR_XY", "BN_BD", "HI_IN", "ID_ID", "JA_JP", "KO_KR"][i % 10]!}/anatomy/${Math.floor(i / 10)}`,
    );
    const [pair] = compareRuns([run("one", () => false, ids), run("two", (i) => i < 50, ids)]).pairs;
    const [anatomy] = pair!.subjects;
    expect(anatomy!.pValue).toBeLessThan(1e-10);
    expect(anatomy!.clusteredPValue).toBeCloseTo(2 / 2 ** 5, 12);
    expect([anatomy!.moved, pair!.pValue < 1e-10, pair!.clusteredPValue > 0.05]).toEqual([false, true, true]);
  });

  it("refuses runs without common rows, or with other keys", () => {
    expect(() => compareRuns([run("one", () => true), run("two", () => true, ["FR_FR/anatomy/0"])])).toThrow(
      /no row in common/,
    );
    const other = { name: "two", predictions: [prediction(rows[0]!, "C", "A")] };
    expect(() => compareRuns([run("one", () => true), other])).toThrow(
      /disagree on the true answer of DE_DE\/anatomy\/0/,
    );
  });
});
