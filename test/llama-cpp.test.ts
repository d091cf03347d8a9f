import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { openDevice } from "../src/graph/index.js";
import {
  createTinyDecoder,
  type DecoderDescription,
  exportGguf,
  gemma2,
  gemma3,
  llama,
  openModel,
  qwen2,
  qwen3,
  type TinyDecoderOptions,
} from "../src/models/index.js";
import { loadTokenizer } from "../src/tokens/index.js";

/** A Python that has xllamacpp: see test/llama-cpp/ask.py. */
const python = process.env["MMMLU_TEST_LLAMA_CPP"];
/** A folder with gemma-3-270m.gguf: a model that was really trained. */
const trained = process.env["MMMLU_TEST_MODEL"];
if (!python)
  console.warn("skipped: tests against the real llama.cpp (set MMMLU_TEST_LLAMA_CPP to a Python that has xllamacpp)");
if (!trained) console.warn("skipped: tests on a really trained model (set MMMLU_TEST_MODEL to its folder)");

const folder = mkdtempSync(join(tmpdir(), "llama-cpp-"));
afterAll(() => rmSync(folder, { recursive: true }));
const NEW = 8;

interface Answer {
  readonly ids: number[];
  readonly tokens: number[];
  /** The log-probabilities of the likeliest tokens after the first `at` of `tokens`. */
  readonly at: number;
  readonly top: [id: number, logProbability: number][];
}

function askLlamaCpp(gguf: string, prompts: readonly (string | readonly number[])[]): Answer[] {
  const script = fileURLToPath(new URL("llama-cpp/ask.py", import.meta.url));
  const input = JSON.stringify({ prompts, tokens: NEW, top: 20 });
  const reply = execFileSync(python!, [script, gguf], { input, timeout: 600_000, stdio: ["pipe", "pipe", "ignore"] });
  return JSON.parse(reply.toString()) as Answer[];
}

/** The same ids of texts, greedy tokens, and log-probabilities within 1e-2. */
async function compare(source: string, gguf: string, prompts: readonly string[]): Promise<void> {
  const theirs = askLlamaCpp(gguf, prompts);
  const device = await openDevice("cpu");
  const { model, folder: files } = await openModel(source, device);
  const tokenizer = await loadTokenizer({ source: files });
  for (const [i, prompt] of prompts.entries()) {
    const { ids, tokens, at, top } = theirs[i]!;
    const own = await tokenizer.encode(prompt, true);
    expect(ids, prompt).toEqual(own);
    const [reply] = await model.generate([own], { maximumNewTokens: NEW });
    // llama.cpp gives the end too.
    expect(tokens.slice(0, reply!.tokens.length), prompt).toEqual(reply!.tokens);
    const [logProbabilities] = await model.letterLogProbabilities(
      [[...own, ...tokens.slice(0, at)]],
      top.map(([id]) => id),
    );
    expect(top).toHaveLength(20);
    for (const [place, [id, value]] of top.entries())
      expect(Math.abs(logProbabilities![place]! - value), `${prompt}: token ${id}`).toBeLessThan(1e-2);
  }
  await model.dispose();
  await device.close();
}

const windows = (layers: number, every: number) =>
  Array.from({ length: layers }, (_, i) =>
    (i + 1) % every === 0 ? ("full_attention" as const) : ("sliding_attention" as const),
  );
const llama3 = {
  ropeType: "llama3",
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositionEmbeddings: 64,
} as const;
const rope = { ropeTheta: 10_000, ...llama3 };
const MODELS: [string, DecoderDescription, string, Partial<TinyDecoderOptions>][] = [
  ["gemma2", gemma2, "spm", { slidingWindow: 16, numHiddenLayers: 4, layerTypes: windows(4, 2) }],
  ["gemma3", gemma3, "spm", { slidingWindow: 16, numHiddenLayers: 7, layerTypes: windows(7, 6) }],
  ["qwen2", qwen2, "qwen2", { tieWordEmbeddings: true }],
  ["qwen3", qwen3, "qwen2", {}],
  ["llama", llama, "llama-bpe", { ropeParameters: { full_attention: rope, sliding_attention: rope } }],
  ["llama-2", llama, "spm-prefix", {}],
];
const PROMPTS = [
  "The capital of France is Paris, isn't it?  We'll see: 12345 + 67.\n\nA. yes\nB. no",
  "Die Größe der Straße beträgt 100 m;\tdas weiß man nicht genau.",
  "東京は日本の首都です。 नई दिल्ली",
  "   a  b",
];

describe.skipIf(!python)("the real llama.cpp", () => {
  it.each(MODELS)(
    "answers as we do with a tiny %s",
    async (name, description, tokenizer, options) => {
      const files = join(folder, `${name}-files`);
      mkdirSync(files);
      const golden = fileURLToPath(new URL(`../reference/golden/gguf/tokenizer-${tokenizer}.json`, import.meta.url));
      copyFileSync(golden, join(files, "tokenizer.json"));
      const [begin, end] = tokenizer.startsWith("spm") ? ["<bos>", "<eos>"] : ["<|begin|>", "<|end|>"];
      writeFileSync(join(files, "tokenizer_config.json"), JSON.stringify({ bos_token: begin, eos_token: end }));
      const { added_tokens: added } = JSON.parse(readFileSync(golden, "utf8")) as {
        added_tokens: { id: number; content: string }[];
      };
      const device = await openDevice("cpu");
      const model = await createTinyDecoder(
        device,
        description,
        { vocabSize: 512, eosTokenIds: [added.find(({ content }) => content === end)!.id], ...options },
        7,
        { tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((one) => join(files, one)) },
      );
      await model.save(join(folder, name));
      await model.dispose();
      await device.close();
      const gguf = join(folder, `${name}.gguf`);
      await exportGguf(join(folder, name), gguf, { kind: "F32" });
      await compare(join(folder, name), gguf, PROMPTS);
    },
    600_000,
  );

  it.skipIf(!trained)(
    "answers as we do with a model that was really trained",
    async () => {
      const source = join(trained!, "gemma-3-270m.gguf");
      const gguf = join(folder, "trained.gguf");
      await exportGguf(source, gguf, { kind: "F32" });
      await compare(source, gguf, PROMPTS);
    },
    900_000,
  );
});
