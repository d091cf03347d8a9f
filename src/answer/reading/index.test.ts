import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../base/errors.js";
import { type ReadingName, readings, readLetter, readReply, settled } from "./index.js";

type Golden = [
  text: string,
  firstCharacter: string | null,
  firstMatch: string | null,
  lastMatch: string | null,
  one: string,
  eight: string,
];
const golden = JSON.parse(
  readFileSync(new URL("../../../reference/golden/readings.json", import.meta.url), "utf8"),
) as Golden[];
const marks = (letters: readonly (string | null)[]): string => letters.map((letter) => letter ?? "?").join("");

describe("the published readings", () => {
  it("read what Python reads", () => {
    expect(golden.length).toBeGreaterThan(600);
    for (const [text, firstCharacter, firstMatch, lastMatch, one, eight] of golden) {
      const ours = [
        readLetter("first-character", text),
        readLetter("first-match", text),
        readLetter("last-match", text),
        marks(readReply("lines", text, 1)),
        marks(readReply("lines", text, 8)),
      ];
      expect(ours, JSON.stringify(text)).toEqual([firstCharacter, firstMatch, lastMatch, one, eight]);
    }
  });

  it("refuse several questions where they read one", () => {
    for (const name of ["first-character", "first-match", "last-match"] as const)
      expect(() => readReply(name, "A", 8)).toThrow(UsageError);
  });
});

describe("reasoning", () => {
  it.each(["lines", "last-match", "robust"] as const)("is stripped before %s", (name) => {
    expect(readLetter(name, "<think>A or B? A!</think>\nC")).toBe("C");
    expect(readLetter(name, "Maybe A.\n</think>\n\nC")).toBe("C");
    expect(readLetter(name, "<think>A it must be, but")).toBeNull();
    expect(readLetter(name, "[THINK]B?[/THINK]C")).toBe("C");
    expect(
      readLetter(
        name,
        "<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>C<|return|>",
      ),
    ).toBe("C");
  });
  it.each(["first-character", "first-match"] as const)("at the beginning is stripped before %s", (name) => {
    expect(readLetter(name, "<think>A or B?</think>\nC")).toBe("C");
    expect(readLetter(name, "<think>A or B?")).toBeNull();
    expect(readLetter(name, "D <think>A</think>")).toBe("D");
  });
});

describe("settled", () => {
  it("means that nothing that follows changes the reading", () => {
    const pieces = [
      "A",
      " B",
      "c",
      "é",
      " ",
      "\n",
      "<",
      "think>",
      "</think>",
      "<think>",
      ".",
      "xyz",
      "\u0301",
      "D)",
      "\ufffd",
    ];
    let state = 12345;
    const next = (n: number): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) % n;
    let seen = 0;
    for (let trial = 0; trial < 3000; trial++) {
      const partial = Array.from({ length: next(6) }, () => pieces[next(pieces.length)]).join("");
      for (const name of Object.keys(readings) as ReadingName[]) {
        if (!settled(name, partial)) continue;
        seen++;
        const now = readLetter(name, partial);
        for (let more = 0; more < 8; more++) {
          // What ended in U+FFFD was a character cut in two.
          const whole =
            partial.replace(/\ufffd+$/u, "") +
            Array.from({ length: 1 + next(4) }, () => pieces[next(pieces.length)]).join("");
          expect(readLetter(name, whole), `${name} ${JSON.stringify(partial)} → ${JSON.stringify(whole)}`).toBe(now);
        }
      }
    }
    expect(seen).toBeGreaterThan(1000);
  });
  it("comes as early as it can", () => {
    expect(settled("first-character", " C")).toBe(true);
    expect(settled("first-character", " ")).toBe(false);
    expect(settled("first-character", "<")).toBe(false);
    expect(settled("first-match", " C")).toBe(false);
    expect(settled("first-match", " C\n")).toBe(true);
    expect(settled("first-match", "Cat ")).toBe(false);
    expect(settled("last-match", "C. ")).toBe(false);
  });
});

describe("robust", () => {
  it.each([
    ["C", "C"],
    ["c", "C"],
    ["(C)", "C"],
    ["C.", "C"],
    ["**C**", "C"],
    ["$C$", "C"],
    ["`C`", "C"],
    ["\\boxed{C}", "C"],
    ["$\\boxed{\\text{C}}$", "C"],
    ["C) Paris", "C"],
    ["**C) Paris**", "C"],
    ["Answer: C", "C"],
    ["**Answer:** C", "C"],
    ["**Answer: C**", "C"],
    ["answer: c", "C"],
    ["The answer is (b).", "B"],
    ["The correct answer is **D**.", "D"],
    ["The final answer is $\\boxed{D}$.", "D"],
    ["Answer: A\nWait, no.\nAnswer: C", "C"],
    ["Answer: A Paris", "A"],
    ["A because it is", "A"],
    ["B, since A is wrong. Answer: B", "B"],
    ["<answer>B</answer>", "B"],
    ["Antwort: B", "B"],
    ["Die richtige Antwort lautet C.", "C"],
    ["Die richtige Antwort ist: **C) Berlin**", "C"],
    ["Réponse : D", "D"],
    ["La bonne réponse est la lettre B.", "B"],
    ["La respuesta correcta es la D.", "D"],
    ["La risposta corretta è C", "C"],
    ["A resposta correta é a letra B", "B"],
    ["Jawaban: A", "A"],
    ["Jawaban yang benar adalah B.", "B"],
    ["Jibu sahihi ni C", "C"],
    ["答案是B", "B"],
    ["正确答案：C", "C"],
    ["答えはＤです", "D"],
    ["正解は B です。", "B"],
    ["정답은 C입니다", "C"],
    ["정답: B", "B"],
    ["सही उत्तर: C", "C"],
    ["उत्तर है B", "B"],
    ["সঠিক উত্তর: খ", "B"],
    ["الإجابة الصحيحة هي ب", "B"],
    ["الجواب: ج", "C"],
    ["Ìdáhùn: B", "B"],
    ["Ａ", "A"],
    ["Ⓑ", "B"],
    ["𝐂", "C"],
    ["С", "C"],
    ["А", "A"],
    ["أ", "A"],
    ["ب.", "B"],
    ["ঘ", "D"],
    ["C\n\nBecause A is wrong and B too.", "C"],
    ["Let us see. A is wrong. B is too.\nC", "C"],
    ["I think it must be D here.", "D"],
  ])("reads %j as %s", (reply, letter) => {
    expect(readLetter("robust", reply)).toBe(letter);
  });

  it.each([
    "",
    "   ",
    "I do not know.",
    "A dog is a mammal.",
    "a dog",
    "The answer is a matter of taste.",
    "La réponse est à chercher ailleurs.",
    "Il n'y a pas de réponse",
    "d'accord",
    "D'accord",
    "C'est la vie",
    "Answer: A dog is an animal",
    "A or B",
    "A: 1\nB: 2\nC: 3\nD: 4",
    "vitaminB",
    "C++ and C#",
    "Is it B or is it C?",
    "None of these",
  ])("reads no letter in %j", (reply) => {
    expect(readLetter("robust", reply)).toBeNull();
  });

  it.each([
    ["A\nB\nC", "ABC"],
    ["ABC", "ABC"],
    ["A, B, C", "ABC"],
    ["Q1: A\nQ2: B\nQ3: C", "ABC"],
    ["1. **A**\n2. **B**\n3. **C**", "ABC"],
    ["1) A\n3) C", "A?C"],
    ["Q3: C\nQ1: A\nQ2: B", "ABC"],
    ["Here are the answers:\nA\nB\nC", "ABC"],
    ["<think>ABCD</think>abc", "ABC"],
    ["Frage 1: B) Berlin\nFrage 2: A\nFrage 3: D", "BAD"],
    ["A\nB", "???"],
    ["A\nI do not know\nC", "A?C"],
    ["ABCD", "???"],
  ])("reads three answers in %j as %s", (reply, letters) => {
    expect(marks(readReply("robust", reply, 3))).toBe(letters);
  });
});
