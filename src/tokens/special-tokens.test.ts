import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTokenizer, makeTokenizer, type Tokenizer } from "./index.js";

const folder = mkdtempSync(join(tmpdir(), "special-tokens-"));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * A byte-level BPE as Llama 3 and Qwen have it: all bytes are tokens, a few are merged; `bos` opens texts where given.
 */
function byteLevel(names: Record<string, unknown>, bos?: string): void {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const letters = bytes.map((byte) => String.fromCharCode(printable(byte) ? byte : next++));
  const merges = [
    ["Ġ", "A"],
    ["Ã", "¼"],
    ["f", "Ã¼"],
  ] as const;
  const vocabulary = [...letters, ...merges.map((pair) => pair.join(""))];
  const special = [bos, "<|end_of_text|>", "<|eot_id|>"].filter((name) => name !== undefined);
  const opening = bos ? [{ SpecialToken: { id: bos, type_id: 0 } }] : [];
  writeFileSync(
    join(folder, "tokenizer.json"),
    JSON.stringify({
      version: "1.0",
      added_tokens: special.map((content, i) => ({
        id: vocabulary.length + i,
        content,
        special: true,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
      })),
      normalizer: null,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      post_processor: {
        type: "TemplateProcessing",
        single: [...opening, { Sequence: { id: "A", type_id: 0 } }],
        pair: [...opening, { Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
        special_tokens: bos ? { [bos]: { id: bos, ids: [vocabulary.length], tokens: [bos] } } : {},
      },
      decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: { type: "BPE", vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])), merges },
    }),
  );
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(names));
}

describe("a byte-level tokenizer", () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    byteLevel({ bos_token: "<|begin_of_text|>", eos_token: { content: "<|eot_id|>" } }, "<|begin_of_text|>");
    tokenizer = await loadTokenizer({ source: folder });
  });

  it("tells its tokens as they stand in a text", async () => {
    const ids = await tokenizer.encode("für A – a", false);
    expect(ids.map((id) => tokenizer.writtenToken(id))).toEqual(["fü", "r", " A", " ", "�", "�", "�", " ", "a"]);
    expect(await tokenizer.decode(ids, true)).toBe("für A – a");
    expect(tokenizer.writtenToken(tokenizer.tokenId("<|eot_id|>")!)).toBe("<|eot_id|>");
    // An answer's letter behind its space is one token.
    expect(await tokenizer.encode(" A", false)).toHaveLength(1);
  });

  it("names what opens and ends texts by tokenizer_config.json", async () => {
    expect(tokenizer.bosToken).toBe("<|begin_of_text|>");
    expect(tokenizer.eosToken).toBe("<|eot_id|>");
    expect((await tokenizer.encode("a", true))[0]).toBe(tokenizer.tokenId("<|begin_of_text|>"));
    byteLevel({ bos_token: null, eos_token: "<|end_of_text|>" });
    const qwens = await loadTokenizer({ source: folder });
    expect(qwens.bosToken).toBeUndefined();
    expect(qwens.eosToken).toBe("<|end_of_text|>");
    expect(await qwens.encode("a", true)).toEqual(await qwens.encode("a", false));
    writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify({ eos_token: 5 }));
    await expect(loadTokenizer({ source: folder })).rejects.toThrow(/tokenizer_config\.json.*eos_token/s);
  });
});

describe("a tokenizer without tokenizer_config.json", () => {
  it.each([
    ["t5", "</s>", undefined],
    ["gemma", "<eos>", "<bos>"],
  ] as const)("of the kind %s ends texts with %s", async (kind, end, begin) => {
    const own = mkdtempSync(join(folder, "made-"));
    makeTokenizer(["ein Wort"], own, { kind, size: 100 });
    rmSync(join(own, "tokenizer_config.json"));
    const tokenizer = await loadTokenizer({ source: own });
    expect([tokenizer.eosToken, tokenizer.bosToken]).toEqual([end, begin]);
  });
});
