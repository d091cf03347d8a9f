import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared, withoutShared } from "../../test/shared.js";
import { jsonPieces } from "../base/json.js";
import type { Row } from "../tasks/index.js";
import {
  auditLeak,
  generator,
  groupedSplit,
  publishedSplit,
  questionGroups,
  type Splits,
  shuffledOrder,
  splitIds,
  splitTwoSources,
  stratifiedTrainTestSplit,
  trainTestSplit,
  zeroShotSplit,
} from "./index.js";
import { generateState, seedPool } from "./numpy-generator.js";
import { allot, testCount } from "./train-test-split.js";

/** As `splits.json` has them. */
const idsOf = (splits: Splits): Record<keyof Splits, string[]> =>
  JSON.parse([...jsonPieces(splitIds(splits))].join(""));

const json = (name: string): any => JSON.parse(readFileSync(shared("golden", name), "utf8"));
const sha = (values: Int32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");

describe.skipIf(withoutShared)("numpy's generator, against numpy", () => {
  const golden = withoutShared ? undefined : json("numpy_rng.json");
  it("seeds", () => {
    for (const [seed, expected] of Object.entries<any>(golden.SeedSequence)) {
      const pool = seedPool(BigInt(seed));
      expect(pool).toEqual(expected.pool);
      expect(generateState(pool, 8)).toEqual(expected.generate_state_u32_8);
    }
  });
  it("draws", () => {
    for (const [seed, expected] of Object.entries<any>(golden.PCG64)) {
      const raw = generator(BigInt(seed));
      expect(expected.raw_u64_10.map(() => String(raw.uint64()))).toEqual(expected.raw_u64_10);
      const words = generator(BigInt(seed));
      expect(expected.next_uint32_10.map(() => words.uint32())).toEqual(expected.next_uint32_10);
    }
  });
  it("permutes", () => {
    for (const [seed, cases] of Object.entries<any>(golden.permutation)) {
      for (const [n, expected] of Object.entries<any>(cases)) {
        if (!/^\d+$/.test(n)) continue;
        const order = generator(Number(seed)).permutation(Number(n));
        if (Array.isArray(expected)) expect([...order]).toEqual(expected);
        else expect(sha(order)).toBe(expected.sha256_i32le);
      }
    }
  });
  it("chooses, and leaves the stream where numpy leaves it", () => {
    for (const one of golden.choice_no_replace) {
      const random = generator(one.seed);
      const chosen = random.choice(
        Array.from({ length: one.pop }, (_, index) => index),
        one.size,
      );
      if (Array.isArray(one.result)) expect(chosen).toEqual(one.result);
      else expect(sha(Int32Array.from(chosen))).toBe(one.result.sha256_i32le);
      expect(String(random.uint64())).toBe(one.next_raw_after);
    }
    for (const one of golden.approximate_mode) {
      const random = generator(one.seed);
      expect(allot(one.class_counts, one.n_draws, random)).toEqual(one.result);
      expect(String(random.uint64())).toBe(one.next_raw_after);
    }
  });
});

describe.skipIf(withoutShared)("splits, against numpy", () => {
  const golden = withoutShared ? { cases: [], size_rounding: [] } : json("splits.json");
  it("rounds sizes", () => {
    for (const { n, test_size, n_test } of golden.size_rounding) expect(testCount(n, test_size)).toBe(n_test);
  });
  const labelsOf = (one: any): number[] =>
    one.labels ?? golden.cases.find((other: any) => other.name === one.labels_ref).labels;
  it.each(golden.cases as { name: string }[])("$name", (one: any) => {
    // Two digits, so that the order by code point is the order of the numbers.
    const split = one.stratify
      ? stratifiedTrainTestSplit(
          labelsOf(one).map((label) => String(label).padStart(6, "0")),
          one.test_size,
          one.seed,
        )
      : trainTestSplit(one.n, one.test_size, one.seed);
    expect(sha(split.train)).toBe(one.train_summary.sha256_i32le);
    expect(sha(split.test)).toBe(one.test_summary.sha256_i32le);
  });
  it("gives the rows that a real run printed", () => {
    const printed = json("mmmlu_order_check.json");
    expect([...shuffledOrder(14 * 14042, 42).slice(0, 5)]).toEqual(printed.permutation_first5);
  });
});

const languages = ["DE_DE", "FR_FR"];
const corpus = (subjects: Record<string, number>): Row[] =>
  languages.flatMap((language) =>
    Object.entries(subjects).flatMap(([subject, count]) =>
      Array.from(
        { length: count },
        (_, index): Row => ({
          id: `${language}/${subject}/${index}`,
          language,
          subject,
          index,
          // Every tenth question of physics stands in chemistry too.
          question:
            subject === "chemistry" && index % 10 === 0
              ? `${language} physics ${index}`
              : `${language} ${subject} ${index}`,
          choices: ["a", "b", "c", "d"],
          answer: "A",
        }),
      ),
    ),
  );

describe("published split", () => {
  it("is 80/10/10 and leaks translations, which the audit counts", () => {
    const splits = publishedSplit(corpus({ physics: 200, chemistry: 300 }));
    expect([splits.train.length, splits.validation.length, splits.test.length]).toEqual([800, 100, 100]);
    const audit = auditLeak(splits);
    const train = new Set(splits.train.map((row) => row.id));
    const twins = splits.test.filter((row) =>
      train.has(`${row.language === "DE_DE" ? "FR_FR" : "DE_DE"}/${row.subject}/${row.index}`),
    );
    expect(audit.test.translationInTrain).toBe(twins.length);
    expect(twins.length).toBeGreaterThan(60);
    expect(audit.cleanTestIds.length).toBe(100 - audit.test.either);
  });
  it("names a subject that is too small", () => {
    expect(() => publishedSplit(corpus({ physics: 50, tiny: 1 }).slice(0, 51))).toThrow(/tiny has only one/);
  });
  it("uses a tenth for the zero-shot experiment", () => {
    expect(zeroShotSplit(corpus({ physics: 200, chemistry: 301 })).test.length).toBe(101);
  });
});

describe("grouped split", () => {
  it("keeps translations and duplicates together, stratified, at any seed", () => {
    const rows = corpus({ physics: 203, chemistry: 301, law: 57, art: 10 });
    for (const seed of [0, 1, 42]) {
      const splits = groupedSplit(rows, { validation: 0.1, test: 0.1, seed });
      const audit = auditLeak(splits);
      expect(audit.test.either + audit.validation.either).toBe(0);
      expect(splits.train.length + splits.validation.length + splits.test.length).toBe(rows.length);
      expect(new Set(Object.values(idsOf(splits)).flat()).size).toBe(rows.length);
      for (const part of [splits.validation, splits.test]) {
        expect(Math.abs(part.length - 0.1 * rows.length)).toBeLessThanOrEqual(2);
        for (const subject of ["physics", "chemistry", "law"]) {
          const want = 0.1 * rows.filter((row) => row.subject === subject).length;
          expect(Math.abs(part.filter((row) => row.subject === subject).length - want)).toBeLessThanOrEqual(
            2 + 0.25 * want,
          );
        }
      }
    }
    expect(idsOf(groupedSplit(rows, { validation: 0.1, test: 0.1, seed: 1 }))).toEqual(
      idsOf(groupedSplit(rows, { validation: 0.1, test: 0.1, seed: 1 })),
    );
    expect(idsOf(groupedSplit(rows, { validation: 0.1, test: 0.1, seed: 1 }))).not.toEqual(
      idsOf(groupedSplit(rows, { validation: 0.1, test: 0.1, seed: 2 })),
    );
  });
  it("joins duplicates across subjects", () => {
    const groups = questionGroups(corpus({ physics: 20, chemistry: 20 }));
    expect(Math.max(...groups.map((group) => group.length))).toBe(4);
    expect(groups.length).toBe(38);
  });
});

describe("two sources", () => {
  const tested = corpus({ anatomy: 120, virology: 90 }).filter((row) => row.language === "FR_FR");
  // The same questions as another set has them.
  const trained = corpus({ anatomy: 120, virology: 90 })
    .filter((row) => row.language === "DE_DE")
    .map((row): Row => ({ ...row, id: `global-mmlu:de/${row.subject}/${row.index}`, language: "de" }));

  it("are kept apart, and leak where each is split by itself", () => {
    const splits = splitTwoSources(trained, tested, { kind: "published", shape: "80/10/10", seed: 42 });
    expect(splits.train).toEqual(publishedSplit(trained).train);
    expect(splits.test).toEqual(publishedSplit(tested).test);
    // The same classes in the same order: the same questions go to the same parts, and none leaks.
    expect(auditLeak(splits).test.either).toBe(0);
    const other = splitTwoSources(trained.slice(3), tested, { kind: "published", shape: "80/10/10", seed: 42 });
    expect(auditLeak(other).test.translationInTrain).toBeGreaterThan(0);
  });
  it("share no question over the sides of a grouped split", () => {
    const splits = splitTwoSources(trained, tested, { kind: "grouped", shape: "80/10/10", seed: 42 });
    expect(new Set([...splits.train, ...splits.validation].map((row) => row.language))).toEqual(new Set(["de"]));
    expect(new Set(splits.test.map((row) => row.language))).toEqual(new Set(["FR_FR"]));
    expect(auditLeak(splits).test.either).toBe(0);
    expect([splits.train.length, splits.validation.length, splits.test.length]).toEqual([168, 21, 21]);
  });
  it("of one language: a row of another set is a twin too, by its question or by its text", () => {
    const english = (set: string, index: number, key?: string): Row => ({
      ...(trained[index] as Row),
      id: `${set}en/anatomy/${index}`,
      language: set ? "en" : "EN_US",
      ...(key ? { key } : {}),
    });
    const audit = (train: Row, test: Row) => auditLeak({ train: [train], validation: [], test: [test] }).test;
    expect(audit(english("mmlu:", 1), { ...english("global-mmlu:", 1), question: "other words" })).toMatchObject({
      translationInTrain: 1,
      duplicateInTrain: 0,
    });
    expect(audit(english("own.csv:", 1, "own.csv/all/1"), english("mmlu:", 1))).toMatchObject({
      translationInTrain: 0,
      duplicateInTrain: 1,
    });
    expect(audit(english("mmlu:", 1), english("mmlu:", 2)).either).toBe(0);
  });
  it("are refused where nothing is left for a part", () => {
    expect(() =>
      splitTwoSources(trained.slice(0, 1), tested, { kind: "grouped", shape: "80/10/10", seed: 42 }),
    ).toThrow(/no row of its source is left/);
  });
});
