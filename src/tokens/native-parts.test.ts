import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../base/errors.js";
import { loadTokenizer, makeTokenizer, type Tokenizer } from "./index.js";

const folder = mkdtempSync(join(tmpdir(), "native-parts-"));
afterAll(() => rmSync(folder, { recursive: true }));

const WORDS = ["Which", "cat", "x , y .", "y", "dog"];

/** A tokenizer of some words with other parts, and other settings, than its own. */
async function loaded(parts: object, settings: object = {}): Promise<Tokenizer> {
  const own = mkdtempSync(join(folder, "one-"));
  makeTokenizer(WORDS, own, { kind: "t5", size: 200 });
  for (const [name, further] of Object.entries({ "tokenizer.json": parts, "tokenizer_config.json": settings })) {
    const file = join(own, name);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...further }));
  }
  return await loadTokenizer({ source: own });
}

/** A double array of one entry, x, with the texts that values point into. */
function charsMap(change: (units: Uint32Array) => void = () => {}, texts: string | Uint8Array = "y\0"): string {
  const units = new Uint32Array(768);
  const at = 256 ^ 0x78;
  units[0] = 256 << 10;
  units[at] = ((at ^ 512) << 10) | 0x100 | 0x78;
  units[512] = 0x8000_0000;
  change(units);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(units.byteLength);
  return Buffer.concat([size, Buffer.from(units.buffer), Buffer.from(texts as string)]).toString("base64");
}

describe("what tokenizer.json keeps of the last texts", () => {
  it.each<[string, object]>([
    ["truncation", { direction: "Right", max_length: 2, strategy: "LongestFirst", stride: 0 }],
    ...[{ Fixed: 50 }, "BatchLongest"].map((strategy): [string, object] => [
      "padding",
      { strategy, direction: "Right", pad_to_multiple_of: null, pad_id: 0, pad_type_id: 0, pad_token: "<pad>" },
    ]),
  ])("%s %j is not done, as in transformers", async (name, value) => {
    const [plain, kept] = [await loaded({}), await loaded({ [name]: value })];
    const text = "Which cat x y dog";
    expect(await kept.encode(text, true)).toEqual(await plain.encode(text, true));
    expect(await kept.count(["x", text], true)).toEqual(await plain.count(["x", text], true));
  });
});

describe("what the library would end the process over", () => {
  const map = (precompiled_charsmap: string) => ({ type: "Precompiled", precompiled_charsmap });
  const template = {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [],
    special_tokens: {},
  };

  it("is not told of a sound map", async () => {
    const [plain, mapped] = [await loaded({}), await loaded({ normalizer: map(charsMap()) })];
    expect(await mapped.encode("x", false)).toEqual(await plain.encode("y", false));
  });

  it.each([
    ["template", { post_processor: template }, /special_tokens lacks "<s>"/],
    ["template in a sequence", { post_processor: { type: "Sequence", processors: [template] } }, /"<s>"/],
    ["template without a type", { post_processor: { ...template, type: undefined } }, /"<s>"/],
    ["map that is not there", { normalizer: { type: "Precompiled" } }, /is no text/],
    ["map without a type", { normalizer: { precompiled_charsmap: 5 } }, /is no text/],
    ["map that is not base64", { normalizer: map("AAA*") }, /is not base64/],
    ["map that is empty", { normalizer: map("") }, /is cut short/],
    ["map cut short", { normalizer: map(charsMap().slice(0, 400)) }, /is cut short/],
    ["map of other bytes", { normalizer: map(charsMap(() => {}, Uint8Array.of(0x80))) }, /not UTF-8/],
    [
      "map whose array leads out",
      { normalizer: { type: "Sequence", normalizers: [map(charsMap((units) => units.fill((8 << 18) | 0x78, 256)))] } },
      /points outside of itself/,
    ],
    ["map whose texts end before", { normalizer: map(charsMap((units) => units.fill(0x8000_0009, 512))) }, /outside/],
    ["map into a character", { normalizer: map(charsMap((units) => units.fill(0x8000_0001, 512), "ü")) }, /outside/],
  ])("is refused: %s", async (_, parts, message) => {
    const refused = loaded(parts);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(/tokenizer\.json/);
  });

  it("is told where a text has a word that nothing stands for", async () => {
    const tokenizer = await loaded({ model: { type: "WordLevel", vocab: { x: 0 }, unk_token: "<none>" } });
    await expect(tokenizer.encode("Which", false)).rejects.toThrow(UserError);
    await expect(tokenizer.count(["Which"], false)).rejects.toThrow(/cannot read a text/);
  });
});

describe("clean_up_tokenization_spaces", () => {
  const bpe = { model: { type: "BPE", vocab: { x: 0, y: 1, ",": 2, ".": 3, "▁": 4 }, merges: [] } };
  it.each([
    [true, {}, "x, y."],
    [false, {}, "x , y ."],
    [true, bpe, "x , y ."],
  ])("is followed but by BPE: %s %j", async (cleanUp, parts, text) => {
    const tokenizer = await loaded(parts, { clean_up_tokenization_spaces: cleanUp });
    const ids = await tokenizer.encode("x , y .", false);
    expect((await tokenizer.decode(ids, true)).trim()).toBe(text);
  });
});
