import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTokenizer, keptTokenCounts, loadTokenizer, makeTokenizer, type TokenizerFiles } from "./index.js";

const folder = mkdtempSync(join(tmpdir(), "kept-counts-"));
afterAll(() => rmSync(folder, { recursive: true }));

const words = ["ein Wort", "", "noch ein Wort\nund eines", "e\u0301"];
const texts = { length: words.length, at: (index: number) => words[index]! };
let loads = 0;
let files: TokenizerFiles;
let cache = "";
beforeAll(async () => {
  makeTokenizer(words, join(folder, "tokenizer"), { kind: "t5", size: 100 });
  const found = await findTokenizer({ source: join(folder, "tokenizer") });
  const load = (): ReturnType<typeof found.load> => {
    loads++;
    return found.load();
  };
  files = { ...found, load };
});

const environment = (): NodeJS.ProcessEnv => ({ XDG_CACHE_HOME: (cache = mkdtempSync(join(folder, "cache-"))) });
const kept = (): string[] =>
  readdirSync(join(cache, "mmmlu-lab", "token-counts")).map((name) => join(cache, "mmmlu-lab", "token-counts", name));

describe("token counts that are kept", () => {
  it("are the tokenizer's, and the second time it is not loaded", async () => {
    const own = environment();
    const tokenizer = await loadTokenizer({ source: join(folder, "tokenizer") });
    expect(await files.sha256()).toBe(tokenizer.sha256);
    for (const specialTokens of [true, false]) {
      const expected = [...(await tokenizer.count(words, specialTokens))];
      loads = 0;
      const first = await keptTokenCounts(files, texts, { specialTokens, environment: own });
      expect([[...first.counts], first.kept, loads]).toEqual([expected, false, 1]);
      const again = await keptTokenCounts(files, texts, { specialTokens, environment: own });
      expect([[...again.counts], again.kept, loads]).toEqual([expected, true, 1]);
      expect(again.vocabularySize).toBe(tokenizer.vocabularySize);
    }
    expect(kept()).toHaveLength(2);
  });

  it("are counted anew for other texts, other tokenizers, and where texts are divided in another way", async () => {
    const own = environment();
    const count = async (all: readonly string[], by = files) =>
      (
        await keptTokenCounts(
          by,
          { length: all.length, at: (index) => all[index]! },
          { specialTokens: false, environment: own },
        )
      ).kept;
    expect(await count(["ein", "Wort"])).toBe(false);
    expect(await count(["einW", "ort"])).toBe(false);
    expect(await count(["ein", "Wort"])).toBe(true);
    makeTokenizer(["ein"], join(folder, "other"), { kind: "t5", size: 100 });
    expect(await count(["ein", "Wort"], await findTokenizer({ source: join(folder, "other") }))).toBe(false);
  });

  it.each([
    ["cut short", (text: string) => text.slice(0, -20)],
    ["of another length", (text: string) => JSON.stringify({ ...JSON.parse(text), counts: "AAAAAA==" })],
    ["of another format", (text: string) => JSON.stringify({ ...JSON.parse(text), format: 0 })],
    ["empty", () => ""],
  ])("are counted anew where the file is %s", async (_how, damage) => {
    const options = { specialTokens: true, environment: environment() };
    const first = await keptTokenCounts(files, texts, options);
    const [path] = kept();
    writeFileSync(path!, damage(readFileSync(path!, "utf8")));
    const second = await keptTokenCounts(files, texts, options);
    expect([[...second.counts], second.kept]).toEqual([[...first.counts], false]);
    expect((await keptTokenCounts(files, texts, options)).kept).toBe(true);
  });

  it("are given all the same where nothing can be kept", async () => {
    const blocked = join(folder, "a file");
    writeFileSync(blocked, "");
    const options = { specialTokens: true, environment: { XDG_CACHE_HOME: blocked } };
    expect((await keptTokenCounts(files, texts, options)).counts).toHaveLength(words.length);
  });

  it("are of 64 sets at most: the one longest unused goes", async () => {
    const options = { specialTokens: true, environment: environment() };
    mkdirSync(join(cache, "mmmlu-lab", "token-counts"), { recursive: true });
    for (let number = 0; number < 64; number++) {
      const path = join(cache, "mmmlu-lab", "token-counts", `${number}.json`);
      writeFileSync(path, "{}");
      utimesSync(path, 1000 + number, 1000 + number);
    }
    await keptTokenCounts(files, texts, options);
    const names = kept().map((path) => path.split("/").at(-1));
    expect(names).toHaveLength(64);
    expect(names).not.toContain("0.json");
    expect(names).toContain("1.json");
  });
});
