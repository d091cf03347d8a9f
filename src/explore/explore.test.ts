import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Corpus, loadCorpus } from "../data/index.js";
import type { Row } from "../tasks/index.js";
import { loadTokenizer, makeTokenizer, type Tokenizer } from "../tokens/index.js";
import { explore, findDuplicates, histogram, keyDifferences, publishedLengthHistogram, summarize } from "./index.js";

const row = (
  id: string,
  question: string,
  answer: Row["answer"] = "A",
  choices: Row["choices"] = ["1", "2", "3", "4"],
): Row => {
  const [language, subject, index] = id.split("/") as [string, string, string];
  return { id, language, subject, index: Number(index), question, choices, answer };
};

const textOf = ({ question, choices }: Row): string => [question, ...choices].join("\n");

describe("summaries", () => {
  it("are those of pandas' describe", () => {
    // pandas.Series([1, 2, 4, 7, 11, 16]).describe()
    expect(summarize([16, 1, 2, 11, 4, 7])).toEqual({
      count: 6,
      mean: 41 / 6,
      std: expect.closeTo(5.77639, 5),
      min: 1,
      "25%": 2.5,
      "50%": 5.5,
      "75%": 10,
      max: 16,
    });
  });

  it("a whole row's histogram has the published range, bins and rule", () => {
    const end = (lengths: number[]) => publishedLengthHistogram("x", lengths).edges.at(-1);
    // The published third quartile, 397, gives 794; short and long texts are bounded.
    expect(end([0, 397, 397, 397, 9383])).toBe(794);
    expect(end([1, 2, 3])).toBe(300);
    expect(end([600, 700, 800])).toBe(1024);
    // 2 × 161.75 is cut off, not rounded.
    expect(end([161, 161, 161, 162])).toBe(322);
    const found = publishedLengthHistogram("x", [0, 7, 8, 794, 795, 9383, ...new Array<number>(20).fill(397)]);
    // numpy.histogram(..., bins=100, range=(0, 794)): the last bin closed, what lies beyond left out
    expect(found.counts[0]).toBe(2);
    expect(found.counts[1]).toBe(1);
    expect(found.counts[99]).toBe(1);
    expect([found.counts.length, found.beyond, found.rules]).toEqual([100, 2, [256]]);
  });

  it("histograms are numpy's, the last bin closed", () => {
    // numpy.histogram([0, 1, 1, 2, 3, 10], bins=5)
    expect(histogram([0, 1, 1, 2, 3, 10], 5)).toEqual({ edges: [0, 2, 4, 6, 8, 10], counts: [3, 2, 0, 0, 1] });
    // numpy.histogram([3, 3], bins=2)
    expect(histogram([3, 3], 2)).toEqual({ edges: [2.5, 3, 3.5], counts: [0, 2] });
    // numpy.histogram(numpy.arange(15), bins=100): the edges decide where rounding would not.
    const { counts } = histogram(
      Array.from({ length: 15 }, (_, index) => index),
      100,
    );
    expect(counts.flatMap((count, bin) => (count ? [bin] : []))).toEqual([
      0, 7, 14, 21, 28, 35, 42, 49, 57, 64, 71, 78, 85, 92, 99,
    ]);
  });
});

describe("keys and duplicates", () => {
  const rows = [
    row("DE_DE/anatomy/0", "Wo?"),
    row("FR_FR/anatomy/0", "Où ?"),
    row("DE_DE/anatomy/1", "Wann?", "B"),
    row("FR_FR/anatomy/1", "Quand ?", "C"),
    row("DE_DE/virology/0", " Wo? "),
    row("DE_DE/virology/1", "Wo?", "A", ["5", "6", "7", "8"]),
  ];
  it("names questions whose keys differ, with the languages on each side", () => {
    expect(keyDifferences(rows)).toEqual([{ question: "anatomy/1", answers: { B: ["DE_DE"], C: ["FR_FR"] } }]);
  });
  it("counts exact duplicates and repeated questions within a language", () => {
    expect(findDuplicates(rows)).toEqual({
      exact: 1,
      sameQuestion: 2,
      acrossSubjects: 1,
      byLanguage: { DE_DE: { exact: 1, sameQuestion: 2 }, FR_FR: { exact: 0, sameQuestion: 0 } },
    });
  });
});

describe("an exploration", () => {
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-explore-"));
  let corpus: Corpus;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    corpus = await loadCorpus({ source: "sample", languages: ["DE_DE", "FR_FR"] });
    // Only German words are in its vocabulary.
    makeTokenizer(
      corpus.rows.filter(({ language }) => language === "DE_DE").map((one) => textOf(one)),
      folder,
      { kind: "t5", size: 2048 },
    );
    tokenizer = await loadTokenizer({ source: folder });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("stops when it is told to", async () => {
    await expect(explore(corpus, { tokenizer, textOf, signal: AbortSignal.abort() })).rejects.toThrow(/^stopped$/);
  });

  it("counts rows whatever their languages and subjects are called", async () => {
    const names = ["constructor", "__proto__", "toString", "hasOwnProperty"];
    const rows = names.map((name, at) => ({ ...corpus.rows[at]!, language: name, subject: names[3 - at]! }));
    const found = await explore({ ...corpus, rows }, { tokenizer, textOf });
    expect(Object.entries(found.languages)).toEqual(names.map((name) => [name, 1]));
    expect(Object.keys(found.subjects).sort()).toEqual([...names].sort());
    expect(Object.keys(found.duplicates.byLanguage)).toEqual(names);
    for (const name of names) expect(found.subjectsByLanguage[name]).toEqual({ [names[3 - names.indexOf(name)]!]: 1 });
  });

  it("counts what there is, each way of counting agreeing with the others", async () => {
    // Every third question is far too long.
    const rows = corpus.rows.map((one, index) => (index % 3 ? one : { ...one, question: one.question.repeat(80) }));
    const found = await explore({ ...corpus, rows }, { tokenizer, textOf });
    expect(found.rows).toBe(2 * 57 * 40);
    const total = (counts: Readonly<Record<string, number>>): number =>
      Object.values(counts).reduce((a, b) => a + b, 0);
    expect(found.languages).toEqual({ DE_DE: 2280, FR_FR: 2280 });
    expect(total(found.answers)).toBe(found.rows);
    expect(total(found.subjects)).toBe(found.rows);
    for (const [subject, answers] of Object.entries(found.answersBySubject))
      expect(total(answers)).toBe(found.subjects[subject]);
    for (const language of ["DE_DE", "FR_FR"]) expect(total(found.subjectsByLanguage[language]!)).toBe(2280);
    for (const { counts, beyond } of found.histograms)
      expect(counts.reduce((a, b) => a + b, 0) + beyond).toBe(found.rows);
    expect(found.histograms[1]!.beyond).toBeGreaterThan(0);
    const encoded = await tokenizer.encodeAll(
      rows.map((one) => textOf(one)),
      false,
    );
    const within = encoded.filter((ids) => ids.length <= 256).length;
    expect(within).toBeGreaterThan(0);
    expect(within).toBeLessThan(found.rows);
    expect(found.shareAtMost256).toBe(within / found.rows);
    const unknown = Object.fromEntries(found.tokenizers.map((one) => [one.language, one.unknownShare]));
    expect(unknown["DE_DE"]).toBe(0);
    expect(unknown["FR_FR"]).toBeGreaterThan(0.1);
  });
});

describe("unknown tokens", () => {
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-unknown-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** BPE as Gemma's, with the tokens of so many bytes. */
  async function bytesOf(count: number): Promise<Tokenizer> {
    // As in Gemma's vocabulary, a tab is a token itself.
    const bytes = Array.from({ length: count }, (_, byte) =>
      byte === 9 ? "\t" : `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
    );
    const tokens = ["<unk>", ...bytes, ..."▁abcdefghijklmnopqrstuvwxyz?"];
    const json = {
      version: "1.0",
      added_tokens: [{ id: 0, content: "<unk>", special: true, single_word: false, lstrip: false, rstrip: false }],
      normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
      decoder: { type: "ByteFallback" },
      model: {
        ...{ type: "BPE", unk_token: "<unk>", byte_fallback: true, fuse_unk: false },
        ...{ vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
      },
    };
    json.added_tokens = json.added_tokens.map((token) => ({ ...token, normalized: false }));
    writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(json));
    return loadTokenizer({ source: folder });
  }

  it.each([256, 192])("are those of the library where %i bytes have tokens", async (count) => {
    const tokenizer = await bytesOf(count);
    const questions = ["plain words?", "größe 😀?", "what is\t<unk> here?", "\u{10FFFF}ÿ", "<unk><unk>"];
    const rows = questions.map((question, at) => row(`DE_DE/x/${at}`, question));
    const encoded = await tokenizer.encodeAll(rows.map(textOf), false);
    const unknown = encoded.flat().filter((id) => id === 0).length;
    const corpus = { rows, columns: {}, nulls: {}, cleanedSubjects: {}, storedSubjects: {} } as unknown as Corpus;
    const { tokenizers } = await explore(corpus, { tokenizer, textOf });
    expect(tokenizers[0]!.unknownShare).toBe(unknown / encoded.flat().length);
    expect(unknown).toBeGreaterThanOrEqual(3);
  });
});
