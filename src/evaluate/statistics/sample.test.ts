import { expect, it } from "vitest";
import { drawQuestions, generator } from "../../split/index.js";
import { questionOf, type Row } from "../../tasks/index.js";
import { clopperPearsonInterval } from "./interval.js";
import { intervalOfTheWhole } from "./sample.js";

it("is Clopper and Pearson's of an endless whole, and the accuracy itself where all were asked", () => {
  const clusters = Array.from({ length: 40 }, (_, i) => ({ n: 1, correct: i % 4 ? 1 : 0 }));
  const [low, high] = intervalOfTheWhole(clusters, 1e12);
  const exact = clopperPearsonInterval(30, 40);
  // Few questions are known less surely than rows.
  expect(low).toBeCloseTo(exact[0], 2);
  expect(high).toBeCloseTo(exact[1], 2);
  expect(intervalOfTheWhole(clusters, 40)).toEqual([0.75, 0.75]);
  const half = intervalOfTheWhole(clusters, 80);
  expect(half[1] - half[0]).toBeLessThan(0.8 * (high - low));
  expect(intervalOfTheWhole([], 40)).toEqual([0, 1]);
});

it("leaves out what cannot be: what was seen stays seen", () => {
  const clusters = Array.from({ length: 30 }, () => ({ n: 2, correct: 2 }));
  const [low, high] = intervalOfTheWhole(clusters, 40);
  expect(low).toBeGreaterThanOrEqual(0.75);
  expect(high).toBe(1);
});

it("covers the accuracy of the whole in 95 % of draws", () => {
  const random = generator(7);
  const uniform = (): number => random.bounded(1_000_000) / 1_000_000;
  for (const [languages, accuracy] of [
    [1, 0.5],
    [3, 0.9],
  ] as const) {
    const rows: Row[] = [];
    const right = new Map<string, number>();
    for (let subject = 0; subject < 12; subject++) {
      const own = Math.min(0.99, Math.max(0.01, accuracy + 0.3 * (uniform() - 0.5)));
      for (let index = 0; index < 20 + 15 * subject; index++) {
        const knows = uniform() < own;
        let correct = 0;
        for (let l = 0; l < languages; l++) {
          rows.push({
            id: `${l}/s${subject}/${index}`,
            language: String(l),
            subject: `s${subject}`,
            index,
            question: "",
            choices: ["a", "b"],
            answer: "A",
          });
          // Translations are mostly answered alike.
          if (uniform() < 0.8 ? knows : uniform() < own) correct++;
        }
        right.set(`s${subject}/${index}`, correct);
      }
    }
    const truth = [...right.values()].reduce((sum, one) => sum + one, 0) / rows.length;
    for (const count of [60, 600]) {
      let covered = 0;
      const draws = 120;
      for (let seed = 0; seed < draws; seed++) {
        const drawn = new Set(drawQuestions(rows, count, seed).rows.map(questionOf));
        const clusters = [...drawn].map((question) => ({ n: languages, correct: right.get(question)! }));
        const [low, high] = intervalOfTheWhole(clusters, right.size);
        if (low <= truth && truth <= high) covered++;
      }
      expect(covered / draws, `${languages} languages, ${accuracy}, ${count} questions`).toBeGreaterThanOrEqual(0.93);
    }
  }
});
