import { describe, expect, it } from "vitest";
import { UsageError } from "../base/errors.js";
import type { Letter, Row } from "../tasks/index.js";
import { baseline } from "./baseline.js";

const row = (index: number, choices: Row["choices"], answer: Letter = "A"): Row => ({
  id: `DE_DE/anatomy/${index}`,
  language: "DE_DE",
  subject: "anatomy",
  index,
  question: "?",
  choices,
  answer,
});
const majorityOf = { rows: (["A", "C", "C", "D"] as const).map((answer) => ({ answer })), what: "the 4 train rows" };
const ask = async (name: string, rows: Row[], seed = 42): Promise<string[]> => {
  const answerer = baseline(name, { seed, majorityOf });
  return (await answerer.answer(rows.map((one) => ({ rows: [one], prompt: "", maximumTokens: 1 })))).map(
    (reply) => reply.text,
  );
};

describe("baselines", () => {
  it("majority gives the most frequent answer and says of what", async () => {
    expect(await ask("baseline:majority", [row(0, ["", "", "", ""]), row(1, ["", "", "", ""])])).toEqual(["C", "C"]);
    expect(baseline("baseline:majority", { seed: 1, majorityOf }).description).toBe(
      "baseline:majority: always C, the most frequent answer of the 4 train rows (2 of 4); it reads no question",
    );
  });
  it("longest gives the longest choice, counting characters, the first of equals", async () => {
    expect(await ask("baseline:longest", [row(0, ["a", "bb", "cc", "d"]), row(1, ["😀😀", "abc", "x", ""])])).toEqual([
      "B",
      "B",
    ]);
  });
  it("random depends on seed and row alone, and is even", async () => {
    const rows = Array.from({ length: 4000 }, (_, index) => row(index, ["", "", "", ""]));
    const letters = await ask("baseline:random", rows);
    expect(await ask("baseline:random", [...rows].reverse())).toEqual([...letters].reverse());
    expect(await ask("baseline:random", rows, 43)).not.toEqual(letters);
    for (const letter of "ABCD")
      expect(Math.abs(letters.filter((one) => one === letter).length - 1000)).toBeLessThan(120);
  });
  it("answers several questions of a request a line each", async () => {
    const answerer = baseline("baseline:longest", { seed: 1, majorityOf });
    expect(
      await answerer.answer([
        { rows: [row(0, ["aa", "", "", ""]), row(1, ["", "", "", "d"])], prompt: "", maximumTokens: 1 },
      ]),
    ).toEqual([{ text: "A\nD" }]);
  });
  it("refuses what is no baseline", () =>
    expect(() => baseline("baseline:best", { seed: 1, majorityOf })).toThrow(UsageError));
});
