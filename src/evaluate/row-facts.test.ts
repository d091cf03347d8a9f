import { describe, expect, it } from "vitest";
import { readReply, settled } from "../answer/index.js";
import { type Letter, lettersOf, OPTION_LETTERS } from "../tasks/index.js";
import { evaluationMetrics, evaluationStatistics, type Prediction } from "./index.js";

const prediction = (id: string, answer: Letter, given: Letter | null, more: Partial<Prediction> = {}): Prediction => {
  const [language, subject] = id.split("/") as [string, string];
  return { id, language, subject, answer, prediction: given, reply: given ?? "?", stage: "test", ...more };
};

describe("rows with different numbers of options", () => {
  const answers = [
    prediction("en/math/0", "J", "J", { options: 10, question: "math 0", category: "math" }),
    prediction("de/math/0", "J", "C", { options: 10, question: "math 0", category: "math" }),
    prediction("en/law/1", "A", "B", { options: 2, question: "law 1", category: "law" }),
    prediction("en/law/2", "B", null, { options: 5, question: "law 2", category: "law" }),
  ];

  it("are counted in a matrix of the widest's letters", () => {
    const { confusion, correct, unreadable } = evaluationMetrics(answers);
    expect([confusion.length, ...confusion.map((row) => row.length)]).toEqual([10, ...Array(10).fill(11)]);
    expect([confusion[9]![9], confusion[9]![2], confusion[0]![1], confusion[1]![10]]).toEqual([1, 1, 1, 1]);
    expect({ correct, unreadable }).toEqual({ correct: 1, unreadable: 1 });
    expect(evaluationMetrics(answers.slice(2, 3)).confusion).toEqual([
      [0, 1, 0],
      [0, 0, 0],
    ]);
  });

  it("have each their own chance, question and category", () => {
    const found = evaluationStatistics(answers);
    expect(found.overall.chance).toBeCloseTo((0.1 + 0.1 + 0.5 + 0.2) / 4, 12);
    expect(found.clustered.clusters).toBe(3);
    expect(found.categories.map(({ category, n, chance }) => [category, n, chance])).toEqual([
      ["law", 2, 0.35],
      ["math", 2, 0.1],
    ]);
    expect(found.letters.map(({ letter }) => letter)).toEqual(OPTION_LETTERS);
    expect(evaluationStatistics([prediction("DE_DE/anatomy/0", "A", "A")]).overall.chance).toBe(0.25);
  });

  it("are calibrated over their own letters", () => {
    const even = (options: number): number[] => Array(options).fill(Math.log(1 / options));
    const found = evaluationStatistics(answers.map((one) => ({ ...one, logProbabilities: even(one.options!) })))
      .calibration!;
    // (1 - 1/k)² + (k - 1)/k² is 1 - 1/k.
    expect(found.brier).toBeCloseTo((0.9 + 0.9 + 0.5) / 3, 12);
    expect(found.n).toBe(3);
  });
});

describe("readings", () => {
  it("know the letters that a question has", () => {
    for (const name of ["first-character", "first-match", "last-match", "lines", "robust"] as const) {
      expect(readReply(name, "J", 1, lettersOf(10)), name).toEqual(["J"]);
      expect(readReply(name, "J", 1, lettersOf(4)), name).toEqual([null]);
      expect(readReply(name, "C", 1, lettersOf(2)), name).toEqual([null]);
    }
    expect(readReply("lines", "a\nj\nE.", 3, lettersOf(10))).toEqual(["A", "J", "E"]);
    expect(settled("first-match", "E ", lettersOf(4))).toBe(false);
    expect(settled("first-match", "E ", lettersOf(5))).toBe(true);
  });
});
