import { describe, expect, it } from "vitest";
import { byOwnLetters, letterUnder, ownLetter, turned } from "./orders.js";
import { type Letter, lettersOf, type Row } from "./row.js";

const row: Row = {
  id: "DE_DE/anatomy/0",
  language: "DE_DE",
  subject: "anatomy",
  index: 0,
  question: "?",
  choices: ["a", "b", "c", "d"],
  answer: "C",
};

describe("an order of options", () => {
  it("turns them round, the right one with its letter", () => {
    expect(turned(row, 0)).toBe(row);
    expect(turned(row, 1)).toMatchObject({ choices: ["b", "c", "d", "a"], answer: "B" });
    expect(turned(row, 3)).toMatchObject({ choices: ["d", "a", "b", "c"], answer: "D" });
    expect(turned({ ...row, choices: ["a", "b"], answer: "B" }, 3)).toMatchObject({ choices: ["b", "a"], answer: "A" });
  });

  it.each([2, 3, 4, 10])("of %i options puts each at each place once, and is undone", (options) => {
    const letters = lettersOf(options);
    const choices = letters.map((letter) => `option ${letter}`);
    for (const own of letters) {
      const places = letters.map((_, order) => {
        const { choices: shown, answer } = turned({ ...row, choices, answer: own }, order);
        expect(shown[letters.indexOf(answer)]).toBe(`option ${own}`);
        expect(letterUnder(own, order, options)).toBe(answer);
        expect(ownLetter(answer, order, options)).toBe(own);
        return answer;
      });
      expect(new Set(places).size).toBe(options);
    }
    for (const order of letters.keys()) {
      const shown = turned({ ...row, choices, answer: "A" as Letter }, order).choices;
      expect(byOwnLetters(shown, order)).toEqual(choices);
    }
  });
});
