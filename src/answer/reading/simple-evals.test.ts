import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isMmluSubject, LANGUAGES, type Letter, type Row } from "../../tasks/index.js";
import { promptFormats } from "../formats/index.js";
import { protocols } from "../protocols/index.js";
import { readLetter } from "./index.js";

interface Golden {
  readonly categories: Readonly<Record<string, string>>;
  readonly prompts: readonly { readonly row: Readonly<Record<string, string>>; readonly prompt: string }[];
  readonly replies: readonly (readonly [reply: string, letter: Letter | null])[];
}
const golden = JSON.parse(
  readFileSync(new URL("../../../reference/golden/simple-evals.json", import.meta.url), "utf8"),
) as Golden;

const rowOf = (cells: Golden["prompts"][number]["row"]): Row => ({
  id: "DE_DE/anatomy/0",
  language: "DE_DE",
  subject: cells["Subject"]!,
  index: 0,
  question: cells["Question"]!,
  choices: ["A", "B", "C", "D"].map((letter) => cells[letter]!),
  answer: cells["Answer"] as Letter,
});
const format = promptFormats["simple-evals"];
const plain = { instruction: "english", systemMessage: null } as const;

describe("OpenAI's simple-evals", () => {
  it("is read alike: every reply of the original's own scoring has the same letter here", () => {
    expect(golden.replies.length).toBeGreaterThan(3000);
    const letters = golden.replies.filter(([, letter]) => letter !== null).length;
    expect(letters).toBeGreaterThan(1000);
    const other = golden.replies.filter(([reply, letter]) => readLetter("simple-evals", reply) !== letter);
    expect(other).toEqual([]);
  });

  it("is asked alike, cells that pandas takes for missing included", () => {
    expect(golden.prompts.length).toBeGreaterThan(4);
    for (const { row, prompt } of golden.prompts)
      expect(format.write([rowOf(row)], [], plain)).toEqual([
        { role: "system", content: "You are a helpful assistant." },
        { role: "user", content: prompt },
      ]);
    const bare = format.write([rowOf(golden.prompts[0]!.row)], [], { ...plain, systemMessage: "" });
    expect(bare).toHaveLength(1);
  });

  it("has the same groups", () => {
    const { groups } = protocols["simple-evals"];
    expect(Object.keys(golden.categories).every(isMmluSubject)).toBe(true);
    expect(Object.keys(golden.categories)).toHaveLength(57);
    for (const [subject, category] of Object.entries(golden.categories))
      expect(groups!({ language: LANGUAGES[0], subject })).toEqual(["mmlu_AR-XY", `mmlu_AR-XY/${category}`]);
  });

  it("takes as many options as a row has, and keeps the original's way with those", () => {
    const labels = ["A", "B", "C", "D", "E", "F"];
    expect(readLetter("simple-evals", "Answer: F", labels)).toBe("F");
    expect(readLetter("simple-evals", "Answer: F")).toBeNull();
    expect(readLetter("simple-evals", "Answer: د", labels)).toBe("D");
    const row = { ...rowOf(golden.prompts[0]!.row), choices: ["one", "two"] };
    expect(JSON.stringify(format.write([row], [], plain))).toMatch(/LETTER is one of AB\. .*A\) one\\nB\) two"/);
  });
});
