import { expect, it } from "vitest";
import type { Prediction } from "../prediction.js";
import { accuracyBounds, cutShare } from "./bounds.js";
import { pairedDesign } from "./paired-design.js";

const prediction = (id: string, letter: Prediction["prediction"], more: Partial<Prediction> = {}): Prediction => ({
  id,
  language: id.split("/")[0]!,
  subject: "s",
  answer: "A",
  prediction: letter,
  reply: "",
  stage: "test",
  ...more,
});

it("bounds the accuracy by what the unreadable may have been", () => {
  const rows = [
    prediction("a/s/0", "A", { cut: true }),
    prediction("a/s/1", "B"),
    prediction("a/s/2", null, { cut: true }),
    prediction("a/s/3", null, { options: 10 }),
  ];
  expect(accuracyBounds(rows)).toEqual({
    unreadableWrong: 0.25,
    unreadableAtChance: (1 + 1 / 4 + 1 / 10) / 4,
    unreadableRight: 0.75,
  });
  expect(cutShare(rows)).toBe(0.5);
  expect(accuracyBounds([])).toEqual({ unreadableWrong: 0, unreadableAtChance: 0, unreadableRight: 0 });
  expect(cutShare([])).toBe(0);
});

it("takes from two runs how they differ", () => {
  const letters = (of: (question: number, language: number) => boolean): Prediction[] =>
    [0, 1].flatMap((l) => Array.from({ length: 50 }, (_, q) => prediction(`${l}/s/${q}`, of(q, l) ? "A" : "B")));
  const all = letters(() => true);
  // In each question both languages differ, or none.
  expect(
    pairedDesign(
      all,
      letters((q) => q >= 10),
    ),
  ).toEqual({ languages: 2, discordance: 0.2, correlation: 1 });
  const apart = pairedDesign(
    all,
    letters((q, l) => q % 10 !== 5 * l),
  )!;
  expect([apart.languages, apart.discordance, apart.correlation]).toEqual([2, 0.1, 0]);
  expect(pairedDesign(all, all)).toBeUndefined();
  expect(pairedDesign(all, [])).toBeUndefined();
});
