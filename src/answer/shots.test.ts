import { describe, expect, it } from "vitest";
import type { Letter, Row } from "../tasks/index.js";
import { chooseShots } from "./shots.js";

const row = (language: string, subject: string, index: number, more: Partial<Row> = {}): Row => ({
  id: `${language}/${subject}/${index}`,
  language,
  subject,
  index,
  question: `${language} ${subject} ${index}?`,
  choices: ["a", "b", "c", "d"],
  answer: "ABCD"[index % 4] as Letter,
  ...more,
});
const rows = ["DE_DE", "FR_FR"].flatMap((language) =>
  ["anatomy", "virology"].flatMap((subject) => Array.from({ length: 6 }, (_, index) => row(language, subject, index))),
);
const ids = (found: readonly Row[]): string[] => found.map(({ id }) => id);
const chosen = (given: Partial<Parameters<typeof chooseShots>[0]>) =>
  chooseShots({ count: 2, source: "first_n", language: "row", asked: rows, from: rows, ...given });

describe("examples", () => {
  it("are the subject's first rows in the row's language, but the row itself", () => {
    const { examplesOf, count } = chosen({});
    expect(ids(examplesOf([rows[8]!]))).toEqual(["DE_DE/virology/0", "DE_DE/virology/1"]);
    expect(ids(examplesOf([rows[6]!]))).toEqual(["DE_DE/virology/1", "DE_DE/virology/2"]);
    expect(count()).toEqual({ examples: 12, askedExamples: 12, prompts: 24, promptsWithOwnAnswer: 0 });
  });

  it("hold the row itself as the harness had it before 0.4.13, and that is counted", () => {
    const { examplesOf, count } = chosen({ source: "first_n_with_itself" });
    expect(ids(examplesOf([rows[6]!]))).toEqual(["DE_DE/virology/0", "DE_DE/virology/1"]);
    expect(count()).toMatchObject({ prompts: 24, promptsWithOwnAnswer: 8 });
  });

  it("of no test translate and repeat no question that is asked", () => {
    const asked = rows.filter(({ language, index }) => language === "DE_DE" && index < 3);
    const twin = row("FR_FR", "virology", 9, { question: rows[0]!.question, language: "DE_DE" });
    const { examplesOf, count } = chosen({ source: "disjoint", asked, from: [twin, ...rows] });
    expect(ids(examplesOf([asked[0]!]))).toEqual(["DE_DE/anatomy/3", "DE_DE/anatomy/4"]);
    expect(ids(examplesOf([asked[3]!]))).toEqual(["DE_DE/virology/3", "DE_DE/virology/4"]);
    expect(count()).toEqual({ examples: 4, askedExamples: 0, prompts: 6, promptsWithOwnAnswer: 0 });
    const short = chosen({ source: "disjoint", asked, count: 4 });
    expect(() => short.count()).toThrow(/anatomy in DE_DE has 3 rows for examples, and answerer\.shots=4 wants 4/);
  });

  it("are in English where that is wanted, and never the question's own original", () => {
    const english = Array.from({ length: 4 }, (_, index) =>
      row("en", "anatomy", index, { id: `mmlu:en/anatomy/${index}` }),
    );
    const asked = rows.filter(({ subject }) => subject === "anatomy");
    const { examplesOf, count } = chosen({ language: "english", asked, from: english });
    expect(ids(examplesOf([asked[0]!]))).toEqual(["mmlu:en/anatomy/1", "mmlu:en/anatomy/2"]);
    expect(count()).toEqual({ examples: 3, askedExamples: 3, prompts: 12, promptsWithOwnAnswer: 0 });
  });
});
