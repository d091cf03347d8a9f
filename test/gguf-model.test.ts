import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "tokenizers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GgufFile, readTokenizer, tokenizerMetadata, writeGguf } from "../src/gguf/index.js";
import { bfloat16Bits } from "../src/graph/index.js";
import { type Checkpoint, openCheckpoint } from "../src/models/index.js";
import { shared, withoutShared } from "./shared.js";

/** A folder with gemma-3-270m.gguf and hf/: a model that was really trained, and its weights rounded to bfloat16. */
const trained = process.env["MMMLU_TEST_MODEL"];
if (!trained) console.warn("skipped: tests on a really trained model (set MMMLU_TEST_MODEL to its folder)");

const folder = mkdtempSync(join(tmpdir(), "gguf-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows of text in 14 languages' scripts. */
function corpus(): string[] {
  const place = join(folder, "corpus");
  execFileSync(process.execPath, [shared("data", "make-corpus.mjs"), place, "--rows", "60"], { stdio: "ignore" });
  const files = readdirSync(join(place, "test"));
  expect(files).toHaveLength(14);
  return files.flatMap((file) =>
    readFileSync(join(place, "test", file), "utf8")
      .split("\n")
      .filter((line) => line !== ""),
  );
}

async function sameIds(one: Tokenizer, other: Tokenizer, texts: readonly string[]): Promise<void> {
  const [ours, theirs] = [await one.encodeBatch([...texts]), await other.encodeBatch([...texts])];
  for (const [i, text] of texts.entries()) expect(ours[i]!.getIds(), text).toEqual(theirs[i]!.getIds());
}

describe.skipIf(withoutShared)("Gemma 2's tokenizer", () => {
  it("goes into GGUF and back, and reads 14 languages as before", async () => {
    const path = shared("tokenizers", "gemma-2", "tokenizer.json");
    const text = readFileSync(path, "utf8");
    const metadata = tokenizerMetadata({
      path,
      json: JSON.parse(text),
      vocabularySize: 256_000,
      begin: 2,
      end: 1,
      adds: { begin: true, end: false },
    });
    writeGguf(join(folder, "tokenizer.gguf"), metadata, []);
    const file = GgufFile.open(join(folder, "tokenizer.gguf"));
    file.close();
    const again = Tokenizer.fromString(JSON.stringify(readTokenizer(file.metadata).tokenizer));
    const texts = corpus();
    expect(texts.length).toBeGreaterThan(800);
    await sameIds(again, Tokenizer.fromString(text), [...texts, "  a   b\n\n\n\tc <bos> <td>  </td>"]);
  });
});

describe.skipIf(!trained)("a model that was really trained", () => {
  let gguf: Checkpoint;
  let hf: Checkpoint;
  beforeAll(async () => {
    gguf = await openCheckpoint(join(trained!, "gemma-3-270m.gguf"));
    hf = await openCheckpoint(join(trained!, "hf"));
  });
  afterAll(async () => {
    await gguf.close();
    await hf.close();
  });

  it("has the same weights as transformers makes of the file, all of them", async () => {
    expect(gguf.weights.names.sort()).toEqual(hf.weights.names.sort());
    for (const name of hf.weights.names) {
      const { shape } = hf.weights.entry(name);
      gguf.weights.entry(name, shape);
      for (let row = 0; row < shape[0]!; row += 16_384) {
        const count = Math.min(16_384, shape[0]! - row);
        const [ours, theirs] = [
          await gguf.weights.readRows(name, row, count),
          await hf.weights.readRows(name, row, count),
        ];
        expect(Buffer.compare(bytes(bfloat16Bits(ours)), bytes(bfloat16Bits(theirs))), name).toBe(0);
      }
    }
  });

  it.skipIf(withoutShared)("reads 14 languages as transformers' tokenizer of it", async () => {
    const at = (place: Checkpoint) => Tokenizer.fromFile(join(place.folder, "tokenizer.json"));
    await sameIds(at(gguf), at(hf), corpus());
  });
});

const bytes = (words: Uint16Array): Buffer => Buffer.from(words.buffer, words.byteOffset, words.byteLength);
