import { describe, expect, it } from "vitest";
import { UserError } from "../base/errors.js";
import { LANGUAGES, lettersOf, type Row } from "../tasks/index.js";
import { GEMMA3_SYSTEM_PROMPT, instructionIn, NATIVE_INSTRUCTIONS, withLetters } from "./instructions.js";
import { flanT5Prompt, gemma2Prompt, gemma3Messages, gemma3Prompt, questionAndChoices } from "./prompts.js";

const row: Row = {
  id: "DE_DE/anatomy/0",
  language: "DE_DE",
  subject: "anatomy",
  index: 0,
  question: "Was?\nNun",
  choices: [" eins", "zwei", "3", "None"],
  answer: "B",
};

describe("the experiments' prompts", () => {
  it("are the published strings", () => {
    expect(questionAndChoices(row)).toBe("Question: Was?\nNun\nChoices:\nA:  eins\nB: zwei\nC: 3\nD: None");
    expect(flanT5Prompt(row)).toBe("Question: Was?\nNun\nA)  eins\nB) zwei\nC) 3\nD) None\nAnswer:");
    expect(gemma2Prompt(row)).toBe(
      "The following is a multiple-choice question. Provide the letter of the correct answer.\n\nQuestion: " +
        "Was?\nNun\nOptions:\n(A)  eins\n(B) zwei\n(C) 3\n(D) None\nCorrect Answer:",
    );
    expect(gemma3Prompt([row, row])).toBe(
      `Q1: ${questionAndChoices(row)}\nAnswer:\n\nQ2: ${questionAndChoices(row)}\nAnswer:`,
    );
    expect(gemma3Messages([row])).toEqual([
      { role: "system", content: GEMMA3_SYSTEM_PROMPT },
      { role: "user", content: `Q1: ${questionAndChoices(row)}\nAnswer:` },
    ]);
  });
});

describe("the native instructions", () => {
  it("are there in every language, and name all four letters and the form", () => {
    for (const language of LANGUAGES) {
      const text = NATIVE_INSTRUCTIONS[language];
      for (const letter of ["A", "B", "C", "D", "ABCD"]) expect(text, language).toContain(letter);
    }
    expect(new Set(Object.values(NATIVE_INSTRUCTIONS)).size).toBe(LANGUAGES.length);
    expect(gemma3Messages([row], "native")[0]?.content).toBe(NATIVE_INSTRUCTIONS.DE_DE);
  });
  it("name the letters that the questions have", () => {
    for (const language of LANGUAGES) {
      const text = NATIVE_INSTRUCTIONS[language];
      expect(withLetters(text, lettersOf(4))).toBe(text);
      const ten = withLetters(text, lettersOf(10));
      for (const letter of [...lettersOf(10), "ABCDEFGHIJ"]) expect(ten, language).toContain(letter);
      expect(withLetters(text, lettersOf(2)), language).not.toMatch(/[CD][^a-z]/);
    }
    expect(withLetters(GEMMA3_SYSTEM_PROMPT, lettersOf(5))).toContain("(A, B, C, D, or E)");
    expect(withLetters(GEMMA3_SYSTEM_PROMPT, lettersOf(2))).toContain("(A or B)");
    const wide = { ...row, choices: ["1", "2", "3", "4", "5"] };
    expect(flanT5Prompt(wide)).toContain("\nD) 4\nE) 5\nAnswer:");
    expect(gemma3Messages([row, wide], "native")[0]?.content).toContain("(A, B, C, D oder E)");
  });
  it("refuse a language that has none", () => expect(() => instructionIn("XX_XX")).toThrow(UserError));
});
