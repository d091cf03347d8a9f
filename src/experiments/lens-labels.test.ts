import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { silent } from "../base/progress.js";
import { loadCorpus } from "../data/index.js";
import { loadTokenizer } from "../tokens/index.js";
import { culturalLabels, labelsOfTexts, reduxErrors } from "./lens-labels.js";
import { sampleTokenizerFolder } from "./sample.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-labels-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const context = { progress: silent, environment: {} };
const file = (name: string, ...rows: unknown[]): string => {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`).join(""));
  return path;
};
const english = (subject: string, index: number, question: string, choices: string[]) => ({
  question,
  choices,
  answer: "A",
  subject,
  index,
});

it("finds MMLU-Redux' rows by their English text, and by their options where texts repeat", async () => {
  const rows = file(
    "english.jsonl",
    english("anatomy", 0, "Which bone?", ["a", "b", "c", "d"]),
    english("anatomy", 1, "Which of these?", ["a", "b", "c", "d"]),
    english("anatomy", 2, "Which of these?", ["e", "f", "g", "h"]),
    english("virology", 0, "Which  VIRUS?", ["a", "b", "c", "d"]),
  );
  const redux = file(
    "redux.jsonl",
    { question: "Which bone?", choices: ["a", "b", "c", "d"], error_type: "ok" },
    { question: "Which of these?", choices: ["e", "f", "g", "h"], error_type: "wrong_groundtruth" },
    { question: "which virus?", choices: ["a", "b", "c", "d"], error_type: "no_correct_answer" },
    { question: "Another?", choices: ["a", "b"], error_type: "bad_question_clarity" },
  );
  expect([...(await reduxErrors(redux, rows, context))]).toEqual([
    ["anatomy/2", "wrong_groundtruth"],
    ["virology/0", "no_correct_answer"],
  ]);
  // Without options a text that two questions share is nobody's.
  const csv = file("redux.csv", "question,error_type", "Which of these?,wrong_groundtruth", "Which bone?,expert");
  expect([...(await reduxErrors(csv, rows, context))]).toEqual([["anatomy/0", "expert"]]);
  const other = file("other.jsonl", { question: "Nothing of it", error_type: "ok" });
  await expect(reduxErrors(other, rows, context)).rejects.toThrow(/none of its 1 questions is among the rows/);
});

it("reads Global-MMLU's cultural labels by question", async () => {
  const path = file(
    "global.csv",
    "sample_id,cultural_sensitivity_label",
    "anatomy/test/3,CA",
    "philosophy/test/0,CS",
    "virology/test/1,-",
  );
  expect([...(await culturalLabels(path, context))]).toEqual([
    ["anatomy/3", "agnostic"],
    ["philosophy/0", "culturally sensitive"],
  ]);
  const none = file("none.csv", "sample_id,cultural_sensitivity_label", "anatomy/test/3,-");
  await expect(culturalLabels(none, context)).rejects.toThrow(/no row has a cultural_sensitivity_label/);
});

it("counts tokens and unknown ones, and finds what repeats within a language", async () => {
  const { rows } = await loadCorpus({ source: "sample", languages: ["DE_DE", "FR_FR"], rowsPerLanguage: 60 });
  const again = { ...rows[0]!, id: "DE_DE/anatomy/999", index: 999 };
  const tokenizer = await loadTokenizer({ source: await sampleTokenizerFolder("t5") });
  const { tokens, duplicates } = await labelsOfTexts([...rows, again], tokenizer, context);
  expect(tokens!.size).toBe(121);
  expect(tokens!.get(again.id)).toEqual(tokens!.get(rows[0]!.id));
  expect([...duplicates!]).toContain(again.id);
  for (const { count, unknown } of tokens!.values()) {
    expect(count).toBeGreaterThan(5);
    expect(unknown).toBeLessThan(0.5);
  }
});
