import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowTexts } from "../src/answer/index.js";
import { loadCorpus } from "../src/data/index.js";
import { explore } from "../src/explore/index.js";
import { auditLeak, publishedSplit } from "../src/split/index.js";
import { LANGUAGES } from "../src/tasks/index.js";
import { loadTokenizer } from "../src/tokens/index.js";
import { shared, withoutShared } from "./shared.js";

/**
 * Real subjects and answers, 14 × 14,042 rows; the text is re-spelled, so figures that depend on it are not compared.
 */
describe.skipIf(withoutShared)("the full-size corpus", () => {
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-full-"));
  beforeAll(
    () => void execFileSync(process.execPath, [shared("data", "make-corpus.mjs"), folder], { stdio: "ignore" }),
    120_000,
  );
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has the published counts", async () => {
    const published = JSON.parse(readFileSync(shared("reference", "published-results.json"), "utf8")).eda;
    const subjectCounts = JSON.parse(readFileSync(shared("golden", "mmlu_subject_counts.json"), "utf8"));
    const corpus = await loadCorpus({ source: folder });
    const tokenizer = await loadTokenizer({ source: shared("tokenizers", "roberta-base") });
    const found = await explore(corpus, { tokenizer, textOf: rowTexts["question-and-choices"] });
    expect(found.rows).toBe(published.rows);
    expect(found.languages).toEqual(
      Object.fromEntries(LANGUAGES.map((language) => [language, published.rows_per_language])),
    );
    expect(Object.values(found.nulls).every((count) => count === published.nulls)).toBe(true);
    expect(Object.keys(found.subjects)).toHaveLength(57);
    const counts: Record<string, number> = subjectCounts.counts ?? subjectCounts;
    for (const [subject, rows] of Object.entries(found.subjects))
      expect([subject, rows]).toEqual([subject, 14 * counts[subject]!]);
    // Some answer keys of the real set differ between languages; this corpus has the English ones everywhere.
    for (const [letter, count] of Object.entries<number>(published.answers))
      expect(Math.abs(found.answers[letter]! - count)).toBeLessThanOrEqual(5);
    expect(found.keyDifferences).toEqual([]);
    const order = JSON.parse(readFileSync(shared("golden", "mmmlu_order_check.json"), "utf8"));
    expect(found.firstRows.map(({ id }) => id)).toEqual(
      order.first5.map((row: Record<string, unknown>) => `${row.language}/${row.Subject}/${row["Unnamed: 0"]}`),
    );
    expect(found.questionTokens.count).toBe(published.rows);
    expect(found.questionAndChoicesTokens.mean).toBeGreaterThan(found.questionTokens.mean);

    const german = corpus.rows.filter(({ language }) => language === "DE_DE" || language === "FR_FR");
    const splits = publishedSplit(german);
    expect([splits.train.length, splits.validation.length, splits.test.length]).toEqual([22_467, 2808, 2809]);
    const { test } = auditLeak(splits);
    expect(test.either / test.rows).toBeGreaterThan(0.7);
  });
});
