import { expect, it } from "vitest";
import { questionOf, type Row } from "../tasks/index.js";
import { drawQuestions } from "./draw-questions.js";

const SIZES = { algebra: 100, biology: 37, history: 900, law: 1 };

const row = (language: string, subject: string, index: number): Row => ({
  id: `${language}/${subject}/${index}`,
  language,
  subject,
  index,
  question: "?",
  choices: ["a", "b", "c", "d"],
  answer: "A",
});
const rows = (languages: readonly string[]): Row[] =>
  languages.flatMap((language) =>
    Object.entries(SIZES).flatMap(([subject, size]) =>
      Array.from({ length: size }, (_, index) => row(language, subject, index)),
    ),
  );
const questions = (drawn: readonly Row[]): Set<string> => new Set(drawn.map(questionOf));

it("draws whole questions, the same whatever the languages and the order", () => {
  const one = drawQuestions(rows(["DE_DE"]), 200);
  const three = drawQuestions(rows(["YO_NG", "FR_FR", "DE_DE"]).reverse(), 200);
  expect(one).toMatchObject({ questions: 200, ofQuestions: 1038, ofRows: 1038 });
  expect(three).toMatchObject({ questions: 200, ofQuestions: 1038, ofRows: 3114 });
  expect(three.rows).toHaveLength(600);
  expect([...questions(three.rows)].sort()).toEqual([...questions(one.rows)].sort());
  expect(drawQuestions(rows(["DE_DE"]), 200).rows).toEqual(one.rows);
});

it("draws from each subject in proportion, to one question", () => {
  for (const count of [1, 10, 57, 500, 1037]) {
    const drawn = drawQuestions(rows(["DE_DE"]), count).rows;
    expect(drawn).toHaveLength(count);
    for (const [subject, size] of Object.entries(SIZES))
      expect(Math.abs(drawn.filter((one) => one.subject === subject).length - (size * count) / 1038)).toBeLessThan(
        1.0001,
      );
  }
});

it("gives all where there are no more", () => {
  const all = rows(["DE_DE"]);
  expect(drawQuestions(all, 1038).rows).toEqual(all);
  expect(drawQuestions(all, 5000)).toMatchObject({ questions: 1038, ofQuestions: 1038 });
});

it("gives every question the same chance", () => {
  const all = rows(["DE_DE"]);
  const times = new Map(all.map((one) => [questionOf(one), 0]));
  const draws = 400;
  for (let seed = 0; seed < draws; seed++)
    for (const one of drawQuestions(all, 104, seed).rows) times.set(questionOf(one), times.get(questionOf(one))! + 1);
  const expected = (draws * 104) / 1038;
  const chiSquared = [...times.values()].reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
  // Of 1,037 degrees of freedom; fixed seeds, so that the value never changes.
  expect(chiSquared).toBeLessThan(1037 + 4 * Math.sqrt(2 * 1037));
  expect(Math.min(...times.values())).toBeGreaterThan(0);
});
