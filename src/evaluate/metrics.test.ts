import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Letter, mmmlu } from "../tasks/index.js";
import { evaluationMetrics } from "./metrics.js";
import { type Prediction, readPredictions, writePredictions } from "./prediction.js";

const LETTERS = mmmlu.letters;

const prediction = (answer: Letter, predicted: Letter | null, subject = "anatomy", language = "DE_DE"): Prediction => ({
  id: `${language}/${subject}/0`,
  language,
  subject,
  answer,
  prediction: predicted,
  reply: predicted ?? "?",
  stage: "zero-shot",
});

describe("evaluationMetrics", () => {
  it("counts by hand", () => {
    expect(
      evaluationMetrics([
        prediction("A", "A"),
        prediction("A", "B"),
        prediction("D", null, "virology"),
        prediction("C", "C", "virology", "FR_FR"),
        prediction("B", "B"),
      ]),
    ).toEqual({
      n: 5,
      correct: 3,
      accuracy: 0.6,
      confusion: [
        [1, 1, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1],
      ],
      subjects: { anatomy: { n: 3, accuracy: 2 / 3 }, virology: { n: 2, accuracy: 0.5 } },
      languages: { DE_DE: { n: 4, accuracy: 0.5 }, FR_FR: { n: 1, accuracy: 1 } },
      unreadable: 1,
      unreadableBy: { cut: 0, empty: 0, onlyReasoning: 0, withoutLetter: 1 },
    });
  });
  it("of nothing is zero", () =>
    expect(evaluationMetrics([])).toMatchObject({ n: 0, correct: 0, accuracy: 0, unreadable: 0 }));
  it("adds up on random predictions", () => {
    let state = 7;
    const next = (n: number): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) % n;
    const many = Array.from({ length: 2000 }, () =>
      prediction(LETTERS[next(4)] as Letter, LETTERS[next(5)] ?? null, `s${next(9)}`, `l${next(3)}`),
    );
    const metrics = evaluationMetrics(many);
    const cells = metrics.confusion.flat().reduce((a, b) => a + b, 0);
    expect(cells).toBe(2000);
    expect(metrics.correct).toBe(many.filter((one) => one.answer === one.prediction).length);
    for (const groups of [metrics.subjects, metrics.languages]) {
      expect(Object.values(groups).reduce((sum, group) => sum + group.n, 0)).toBe(2000);
      expect(Object.values(groups).reduce((sum, group) => sum + group.n * group.accuracy, 0)).toBeCloseTo(
        metrics.correct,
        6,
      );
    }
  });
});

describe("predictions.jsonl", () => {
  it("comes back as it was written", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mmmlu-"));
    const path = join(folder, "predictions.jsonl");
    const written = [
      { ...prediction("A", null), reply: 'line\u2028 \n"quote" \ud83d\ude00 <script>' },
      { ...prediction("B", "B"), logProbabilities: [-1, -2, -3, -4.5] as const },
      ...Array.from({ length: 700 }, () => prediction("C", "D")),
    ];
    writePredictions(path, written);
    const back = [];
    for await (const one of readPredictions(path)) back.push(one);
    expect(back).toEqual(written);
    rmSync(folder, { recursive: true });
  });
});
