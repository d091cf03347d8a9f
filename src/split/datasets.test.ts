import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Row } from "../tasks/index.js";
import { publishedSplit, stratifiedTrainTestSplit, zeroShotSplit } from "./index.js";

type Stored = number[] | { length: number; sha256: string };
interface Case {
  readonly name: string;
  readonly kind: "stratified" | "published" | "zero_shot";
  readonly labels: number[];
  readonly test_size: number;
  readonly seed: number;
  readonly train: Stored;
  readonly validation?: Stored;
  readonly test: Stored;
}

const golden = JSON.parse(readFileSync(new URL("../../reference/golden/splits.json", import.meta.url), "utf8")) as {
  names: string[];
  cases: Case[];
};

const stored = (indices: readonly number[]): Stored =>
  indices.length <= 300
    ? [...indices]
    : {
        length: indices.length,
        sha256: createHash("sha256")
          .update(new Uint8Array(Int32Array.from(indices).buffer))
          .digest("hex"),
      };

const rowOf = (subject: string, index: number): Row =>
  ({
    id: String(index),
    language: "DE_DE",
    subject,
    index,
    question: "",
    choices: ["", "", "", ""],
    answer: "A",
  }) as unknown as Row;

/** Made by reference/splits.py. */
describe("splits, against Python's datasets on random rows", () => {
  it.each(golden.cases)("$name", ({ kind, labels, test_size, seed, train, validation, test }) => {
    const subjects = labels.map((label) => golden.names[label]!);
    if (kind === "stratified") {
      const split = stratifiedTrainTestSplit(subjects, test_size, seed);
      expect(stored([...split.train])).toEqual(train);
      expect(stored([...split.test])).toEqual(test);
      return;
    }
    const split = (kind === "published" ? publishedSplit : zeroShotSplit)(subjects.map(rowOf), seed);
    const numbers = (rows: readonly Row[]): Stored => stored(rows.map(({ id }) => Number(id)));
    expect(numbers(split.train)).toEqual(train);
    expect(numbers(split.test)).toEqual(test);
    if (validation) expect(numbers(split.validation)).toEqual(validation);
  });
});
