import { describe, expect, it } from "vitest";
import { generator } from "../../split/index.js";
import type { Letter } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import type { ComparedRun } from "../statistics/comparison.js";
import { benjaminiHochberg, lensOf, parallelTable, replyKind, suspectRows } from "./index.js";
import { tailOf } from "./suspects.js";

const LETTERS = ["A", "B", "C", "D"] as const;

interface World {
  readonly seed: number;
  readonly models: number;
  readonly languages: number;
  readonly questions: number;
  /** Share of rows whose translation is spoilt. */
  readonly bad: number;
  /** Spread of what all models share of a question in a language, on the logit scale. */
  readonly shared: number;
}

/** Runs whose right answers follow ability, language, difficulty and chance; and which rows were spoilt. */
function world({ seed, models, languages, questions, bad, shared }: World): {
  runs: ComparedRun[];
  spoilt: Set<string>;
} {
  const random = generator(seed);
  const uniform = (): number => (random.bounded(999_998) + 1) / 1_000_000;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const codes = Array.from({ length: languages }, (_, l) => `L${l}`);
  const of = codes.map(() => -0.4 * Math.abs(normal()));
  const ability = Array.from({ length: models }, (_, m) => 1 + 0.4 * m);
  const predictions: Prediction[][] = Array.from({ length: models }, () => []);
  const spoilt = new Set<string>();
  for (let q = 0; q < questions; q++) {
    const difficulty = 1.8 * normal();
    const answer = LETTERS[q % 4]!;
    codes.forEach((language, l) => {
      const id = `${language}/s${q % 7}/${Math.floor(q / 7)}`;
      const own = shared * normal();
      const isBad = uniform() < bad;
      if (isBad) spoilt.add(id);
      const odd = LETTERS[(q + 1) % 4]!;
      for (let m = 0; m < models; m++) {
        const p = isBad ? 0.1 : 1 / (1 + Math.exp(-(ability[m]! + of[l]! + own - difficulty + 0.5 * normal())));
        const prediction: Letter = uniform() < p ? answer : isBad ? odd : LETTERS[(q + 1 + random.bounded(2)) % 4]!;
        predictions[m]!.push({
          id,
          language,
          subject: `s${q % 7}`,
          answer,
          prediction,
          reply: prediction,
          stage: "test",
        });
      }
    });
  }
  return { runs: predictions.map((rows, m) => ({ name: `m${m}`, predictions: rows })), spoilt };
}

/** Over some worlds: the share of flagged rows that were not spoilt, and the share of the spoilt that were flagged. */
function flaggedIn(settings: Omit<World, "seed">, worlds = 2): { falseAlarms: number; found: number } {
  let [flags, wrong, planted] = [0, 0, 0];
  for (let seed = 1; seed <= worlds; seed++) {
    const { runs, spoilt } = world({ ...settings, seed });
    const { list } = suspectRows(parallelTable(runs))!;
    const flagged = list.filter((one) => one.flagged);
    flags += flagged.length;
    wrong += flagged.filter(({ id }) => !spoilt.has(id)).length;
    planted += spoilt.size;
  }
  return { falseAlarms: flags ? wrong / flags : 0, found: planted ? (flags - wrong) / planted : 0 };
}

describe("suspect translations", () => {
  const size = { languages: 8, questions: 700 };

  it("that were planted are found, at no more than the stated rate of false alarms", () => {
    const four = flaggedIn({ ...size, models: 4, bad: 0.01, shared: 0 });
    expect(four.falseAlarms).toBeLessThanOrEqual(0.1);
    expect(four.found).toBeGreaterThan(0.12);
    const eight = flaggedIn({ ...size, models: 8, bad: 0.01, shared: 0 });
    expect(eight.falseAlarms).toBeLessThanOrEqual(0.1);
    expect(eight.found).toBeGreaterThan(0.55);
  });

  it("are not taken from what a question has of its own in a language", () => {
    const eight = flaggedIn({ ...size, models: 8, bad: 0.01, shared: 0.6 });
    expect(eight.falseAlarms).toBeLessThanOrEqual(0.15);
    expect(eight.found).toBeGreaterThan(0.4);
  });

  it("are none where none was planted", () => {
    let flagged = 0;
    for (let seed = 11; seed < 14; seed++)
      flagged +=
        suspectRows(parallelTable(world({ ...size, models: 5, bad: 0, shared: 0.4, seed }).runs))!.flagged > 0 ? 1 : 0;
    expect(flagged).toBeLessThanOrEqual(1);
  });

  it("need three languages", () => {
    const { runs } = world({ seed: 1, models: 2, languages: 2, questions: 20, bad: 0, shared: 0 });
    expect(suspectRows(parallelTable(runs))).toBeUndefined();
  });
});

it("the chance of so many failures is that of unequal coins, wider where runs share something", () => {
  expect(tailOf([0.5, 0.5], 2, 0)).toBeCloseTo(0.25, 12);
  expect(tailOf([0.1, 0.2, 0.3], 1, 0)).toBeCloseTo(1 - 0.9 * 0.8 * 0.7, 12);
  expect(tailOf([0.1, 0.2], 0, 1)).toBe(1);
  const many = Array.from({ length: 6 }, () => 0.1);
  expect(tailOf(many, 5, 1)).toBeGreaterThan(20 * tailOf(many, 5, 0));
});

it("corrects p-values as Benjamini and Hochberg do", () => {
  // scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.2])
  const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.2]);
  [0.04, 0.0533333333, 0.0533333333, 0.2].forEach((value, index) => expect(adjusted[index]).toBeCloseTo(value, 9));
});

const one = (
  language: string,
  index: number,
  prediction: Prediction["prediction"],
  answer: Letter = "A",
): Prediction => ({
  id: `${language}/anatomy/${index}`,
  language,
  subject: "anatomy",
  answer,
  prediction,
  reply: prediction ?? "",
  stage: "test",
});

describe("a lens", () => {
  // Right in both, in the first only, in the second only, in none (the same wrong letter), in none (one unreadable).
  const predictions = [
    ...["A", "A", "B", "C", null].map((letter, index) => one("DE_DE", index, letter as Letter | null)),
    ...["A", "B", "A", "C", "D"].map((letter, index) => one("FR_FR", index, letter as Letter | null)),
  ];

  it("counts agreement, and agreement beyond the accuracies", () => {
    const { runs, languages } = lensOf([{ name: "m", predictions }], { reference: "FR_FR" });
    expect(languages).toEqual(["DE_DE", "FR_FR"]);
    const pair = runs[0]!.agreement[0]![1]!;
    expect(pair).toMatchObject({ n: 5, sameLetter: 2 / 5, sameOutcome: 3 / 5, sameWrongLetter: 1 });
    // sklearn.metrics.cohen_kappa_score([1,1,0,0,0], [1,0,1,0,0])
    expect(pair.kappa).toBeCloseTo(0.16666666666666663, 12);
    expect(runs[0]!.rightIn).toMatchObject({ n: 5, counts: [2, 2, 1], rightAlone: [1, 1], wrongAlone: [1, 1] });
    expect(runs[0]!.rightIn.independent.map((value) => Number(value.toFixed(6)))).toEqual([1.8, 2.4, 0.8]);
  });

  it("tests gaps by question, and knows languages by other names", () => {
    const gap = lensOf([{ name: "m", predictions }], { reference: "fr" }).runs[0]!.gaps;
    expect(gap).toMatchObject([
      { language: "DE_DE", n: 5, difference: 0, onlyReference: 1, onlyLanguage: 1, pValue: 1, adjustedPValue: 1 },
    ]);
    expect(() => lensOf([{ name: "m", predictions }], { reference: "sw" })).toThrow(/no rows in sw/);
  });

  it("tells keys that differ, and keys on which all disagree", () => {
    const three = ["DE_DE", "FR_FR", "ES_LA"].flatMap((language) => [
      one(language, 0, "B", language === "ES_LA" ? "C" : "A"),
      one(language, 1, "D"),
    ]);
    const lens = lensOf([
      { name: "m", predictions: three },
      { name: "n", predictions: three },
    ]);
    expect(lens.keyDifferences).toEqual([
      {
        question: "anatomy/0",
        subject: "anatomy",
        keys: { DE_DE: "A", ES_LA: "C", FR_FR: "A" },
        usual: "A",
        odd: ["ES_LA"],
      },
    ]);
    expect(lens.doubtfulKeys.map(({ question, answered, share }) => [question, answered, share])).toEqual([
      ["anatomy/0", "B", 1],
      ["anatomy/1", "D", 1],
    ]);
    expect(lens.unclean).toEqual({ "keys differ between languages": 3 });
    expect(lens.runs[0]!.clean.all.n).toBe(3);
  });

  it("measures the clean rows by the labels that are given", () => {
    const errors = new Map([["anatomy/3", "wrong_groundtruth"]]);
    const lens = lensOf([{ name: "m", predictions }], {
      labels: { errors, duplicates: new Set(["DE_DE/anatomy/1"]), cultural: new Map([["anatomy/0", "agnostic"]]) },
    });
    expect(lens.unclean).toEqual({ "an error by MMLU-Redux": 2, "a duplicate": 1 });
    expect(lens.runs[0]!.clean.accuracies.map(({ n }) => n)).toEqual([3, 4]);
    expect(lens.runs[0]!.gapsByCulture).toMatchObject([{ group: "agnostic", n: 1 }]);
  });

  it("is refused where there is nothing to hold side by side", () => {
    expect(() => lensOf([{ name: "m", predictions: [one("DE_DE", 0, "A")] }])).toThrow(/of one language/);
    expect(() => lensOf([{ name: "m", predictions: [one("DE_DE", 0, "A"), one("FR_FR", 1, "A")] }])).toThrow(
      /no question was asked in two languages/,
    );
  });
});

it("tells refusals, letters of other alphabets and the rest apart", () => {
  const kind = (reply: string, more: Partial<Prediction> = {}): string =>
    replyKind({ ...one("AR_XY", 0, null), reply, ...more });
  expect(kind("أ")).toBe("another letter");
  expect(kind("**E**")).toBe("another letter");
  expect(kind("I'm sorry, I cannot help with that.")).toBe("refused");
  expect(kind("申し訳ありませんが、お答えできません。")).toBe("refused");
  expect(kind("It depends on the case.")).toBe("without a letter");
  expect(kind("", { unreadable: "empty" })).toBe("empty");
  expect(kind("The answer is", { unreadable: "cut" })).toBe("cut");
  expect(kind("A", { prediction: "A" })).toBe("right");
  expect(kind("B", { prediction: "B" })).toBe("wrong letter");
});
