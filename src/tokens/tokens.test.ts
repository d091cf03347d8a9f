import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shared, withoutShared } from "../../test/shared.js";
import { loadCorpus } from "../data/index.js";
import { countTokens, filterByLength, loadTokenizer, makeTokenizer } from "./index.js";
import { pairPieces } from "./pair-pieces.js";

const folder = (): string => mkdtempSync(join(tmpdir(), "tokens-"));

describe("a made tokenizer", () => {
  it("writes known words, closes texts, and gives back what it read", async () => {
    const at = folder();
    const { rows } = await loadCorpus({ source: "sample", languages: ["DE_DE"] });
    makeTokenizer(
      rows.map((row) => `${row.question} A) ${row.choices.join(" B) ")}`),
      at,
      { kind: "t5", size: 400 },
    );
    const tokenizer = await loadTokenizer({ source: at });
    const text = "Welches davon lebt?\nA) Hund B) Tisch";
    const ids = await tokenizer.encode(text, true);
    expect(ids.at(-1)).toBe(tokenizer.tokenId("</s>"));
    expect(ids).not.toContain(tokenizer.unknownId);
    expect(await tokenizer.decode(ids, true)).toBe(text);
    expect(await tokenizer.encode("xyzzy", false)).toEqual([tokenizer.unknownId]);
  });
  it("opens Gemma's texts with one <bos>", async () => {
    const at = folder();
    makeTokenizer(["ein Wort"], at, { kind: "gemma", size: 100 });
    const tokenizer = await loadTokenizer({ source: at });
    expect(await tokenizer.encode("ein Wort", true)).toEqual([
      tokenizer.tokenId("<bos>"),
      ...(await tokenizer.encode("ein Wort", false)),
    ]);
  });
  it("says what is missing", async () => {
    await expect(loadTokenizer({ source: folder() })).rejects.toThrow(/no tokenizer.json/);
  });
});

describe("the length filter", () => {
  it("keeps a row at the bound only where it is inclusive", async () => {
    const at = folder();
    const { rows } = await loadCorpus({ source: "sample", languages: ["DE_DE", "FR_FR"], rowsPerLanguage: 200 });
    makeTokenizer(
      rows.map((row) => row.question),
      at,
      { kind: "t5", size: 400 },
    );
    const tokenizer = await loadTokenizer({ source: at });
    const counts = await tokenizer.count(
      rows.map((row) => row.question),
      true,
    );
    const maximumTokens = counts[0] as number;
    const kept = async (inclusive: boolean) =>
      (await filterByLength(rows, (row) => row.question, tokenizer, { maximumTokens, inclusive, specialTokens: true }))
        .rows.length;
    expect((await kept(true)) - (await kept(false))).toBe(counts.filter((count) => count === maximumTokens).length);
  });
});

describe.skipIf(withoutShared)("RoBERTa's vocabulary", () => {
  it("counts by pieces as the library counts", async () => {
    const tokenizer = await loadTokenizer({ source: shared("tokenizers", "roberta-base") });
    expect(await tokenizer.encode("Hello world", true)).toEqual([0, 31414, 232, 2]);
    expect(tokenizer.unknownId).toBeUndefined();
    const { rows } = await loadCorpus({ source: "sample", languages: ["DE_DE", "JA_JP", "AR_XY"] });
    const texts = rows.map(
      (row, index) =>
        `${row.question}\n\n  ${index}'s ${row.choices.join("\t")} \u00a0é́ ${index % 50 === 0 ? "<mask>" : ""} `,
    );
    expect([...(await countTokens(tokenizer, texts))]).toEqual([...(await tokenizer.count(texts, false))]);
  });
});

describe.skipIf(withoutShared)("Gemma's vocabulary", () => {
  it("counts by pieces as the library counts, on texts of every script and of anything at all", async () => {
    const tokenizer = await loadTokenizer({ source: shared("tokenizers", "gemma-2") });
    const piecesOf = pairPieces(tokenizer);
    const { rows } = await loadCorpus({ source: "sample", languages: ["DE_DE", "JA_JP"] });
    const random = randomNumbers(17);
    const PARTS = [
      "  ",
      "\n\n",
      "▁",
      "\t",
      "é́",
      "👩‍🔬",
      "\u00a0",
      "漢字",
      "ﷺ",
      "<b>",
      "<bos>",
      "<unused3>",
      "12 345",
      "ﬁ",
      "\u{10ffff}",
      "x̂²",
      "[@BOS@]",
      "\ud800",
    ];
    const part = (): string => PARTS[Math.floor(random() * PARTS.length)]!;
    const texts = rows.map((row) => `${part()}${row.question}${part()} ${part()}${row.choices.join(part())}${part()}`);
    expect(texts.length).toBeGreaterThan(4000);
    expect([...(await countTokens(tokenizer, texts))]).toEqual([...(await tokenizer.count(texts, false))]);
    // That the quick way was gone: a text falls into words, and their tokens are the text's.
    expect(piecesOf?.("Hello big  world")).toEqual(["Hello", " big", "  world"]);
    const ids = async (text: string): Promise<number[]> => tokenizer.encode(text, false);
    for (const text of texts.slice(0, 300).filter((one) => !/[<[]/.test(one)))
      expect((await Promise.all(piecesOf!(text).map(ids))).flat()).toEqual(await ids(text));
  });
});

/** mulberry32 */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
