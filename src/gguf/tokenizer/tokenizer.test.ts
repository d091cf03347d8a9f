import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "tokenizers";
import { afterAll, describe, expect, it } from "vitest";
import { GgufFile } from "../file.js";
import { writeGguf } from "../write.js";
import { readTokenizer } from "./read.js";
import { type TokenizerToWrite, tokenizerMetadata } from "./write.js";

const folder = mkdtempSync(join(tmpdir(), "gguf-tokenizer-"));
afterAll(() => rmSync(folder, { recursive: true }));
const golden = (name: string): string =>
  readFileSync(new URL(`../../../reference/golden/gguf/tokenizer-${name}.json`, import.meta.url), "utf8");

const TEXTS = [
  "The capital of France is Paris, isn't it?  We'll see: 12345 + 67.\n\nA. yes\nB. no",
  "  Größe\tund   Straße    ",
  "La réponse est « l'élève » ; ça coûte 3,50 €.",
  "東京は日本の首都です。😀 नई दिल्ली ما هي",
  "<|begin|>a<tool>b<|end|> <bos>c<turn>\n\n\n d",
  "",
];

const written = (text: string, more: Partial<TokenizerToWrite> = {}) =>
  tokenizerMetadata({
    path: "tokenizer.json",
    json: JSON.parse(text),
    vocabularySize: 1000,
    begin: 2,
    end: 1,
    adds: { begin: false, end: false },
    ...more,
  });

function through(text: string, more: Partial<TokenizerToWrite>): ReturnType<typeof readTokenizer> {
  const path = join(folder, "a.gguf");
  writeGguf(path, written(text, more), []);
  const file = GgufFile.open(path);
  file.close();
  return readTokenizer(file.metadata);
}

describe.each(["gpt-2", "qwen2", "llama-bpe", "spm", "spm-prefix"])("the tokenizer %s", (name) => {
  const text = golden(name);
  const original = Tokenizer.fromString(text);

  it("goes into GGUF and back, and reads texts as before", async () => {
    const begin = original.tokenToId("<|begin|>") ?? original.tokenToId("<bos>")!;
    const opened = (await original.encode("a", null, { addSpecialTokens: true })).getIds()[0] === begin;
    const { tokenizer, config } = through(text, {
      begin,
      end: begin + 1,
      adds: { begin: opened, end: false },
      chatTemplate: "{{ bos_token }}",
    });
    const again = Tokenizer.fromString(JSON.stringify(tokenizer));
    for (const one of TEXTS)
      for (const addSpecialTokens of [true, false]) {
        const [ours, theirs] = [again, original].map((it) => it.encode(one, null, { addSpecialTokens }));
        expect((await ours!).getIds(), one).toEqual((await theirs!).getIds());
        expect(await again.decode((await ours!).getIds(), false)).toBe(
          await original.decode((await theirs!).getIds(), false),
        );
      }
    expect(config["chat_template"]).toBe("{{ bos_token }}");
    expect(config["bos_token"]).toBe(original.idToToken(begin));
    expect(again.getVocabSize(true)).toBe(1000);
  });
});

describe("types of tokens that llama.cpp overrides", () => {
  /** The golden tokenizer's metadata with the type of each token changed. */
  const typed = (name: string, more: Partial<TokenizerToWrite>, change: (type: number, token: string) => number) => {
    const metadata = written(golden(name), more);
    const tokens = (metadata.get("tokenizer.ggml.tokens") as { readonly value: readonly string[] }).value;
    const key = "tokenizer.ggml.token_type";
    const { value } = metadata.get(key) as { readonly value: readonly number[] };
    metadata.set(key, { type: "array", of: "int32", value: value.map((type, id) => change(type, tokens[id]!)) });
    return metadata;
  };
  const reading = (metadata: ReturnType<typeof written>) => {
    const path = join(folder, "typed.gguf");
    writeGguf(path, metadata, []);
    const file = GgufFile.open(path);
    file.close();
    return readTokenizer(file.metadata).tokenizer;
  };

  it.each([1, 4])("an end that is known by name is one token, also of type %i", async (type) => {
    const own = Tokenizer.fromString(golden("qwen2"));
    const metadata = typed("qwen2", {}, (old, token) => (token === "<|end|>" ? type : old));
    const again = Tokenizer.fromString(JSON.stringify(reading(metadata)));
    const ids = (await again.encode("a<|end|>b", null, { addSpecialTokens: false })).getIds();
    expect(ids).toEqual((await own.encode("a<|end|>b", null, { addSpecialTokens: false })).getIds());
    expect(ids).toHaveLength(3);
    expect(await again.decode(ids, true)).toBe("ab");
  });

  it("runs of blanks of a user's beside a blank before each text are refused", () => {
    const metadata = written(golden("spm"));
    expect(() => reading(metadata)).not.toThrow();
    metadata.set("tokenizer.ggml.add_space_prefix", { type: "bool", value: true });
    expect(() => reading(metadata)).toThrow(/opens texts with a blank \(add_space_prefix\)/);
    metadata.delete("tokenizer.ggml.add_space_prefix");
    expect(() => reading(metadata)).toThrow(/add_space_prefix/);
  });
});

describe("a tokenizer that GGUF cannot have", () => {
  const change = (name: string, path: (json: Record<string, any>) => void): string => {
    const json = JSON.parse(golden(name)) as Record<string, any>;
    path(json);
    return JSON.stringify(json);
  };
  it.each([
    ["another model", /its model is Unigram/, change("spm", (json) => (json.model.type = "Unigram"))],
    [
      "another way to cut",
      /cuts or normalizes texts/,
      change("qwen2", (json) => (json.pre_tokenizer = { type: "Whitespace" })),
    ],
    ["another normalizer", /cuts or normalizes/, change("gpt-2", (json) => (json.normalizer = { type: "Lowercase" }))],
    ["lower case", /normalizes or cuts texts/, change("spm", (json) => (json.normalizer = { type: "Lowercase" }))],
    ["merges that are missing", /whose scores would/, change("spm", (json) => json.model.merges.pop())],
    [
      "merges out of order",
      /have others between/,
      change("spm", (json) => json.model.merges.push(json.model.merges[30])),
    ],
    ["no token of a byte", /no <0x00>/, change("spm", (json) => delete json.model.vocab["<0x00>"])],
    ["more tokens than the model", /beyond the model's/, change("spm", (json) => (json.model.vocab["zzz"] = 5000))],
  ])("is refused: %s", (_, message, text) => {
    expect(() => written(text)).toThrow(message);
    expect(() => written(text)).toThrow(/cannot be carried over/);
  });
});
