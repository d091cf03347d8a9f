import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GgufFile, KINDS, quantize, writeGguf } from "../../gguf/index.js";
import { type Device, openDevice } from "../../graph/index.js";
import { loadTokenizer } from "../../tokens/index.js";
import { gemma2 } from "../architectures/gemma2.js";
import { gemma3 } from "../architectures/gemma3.js";
import { llama } from "../architectures/llama.js";
import { qwen2 } from "../architectures/qwen2.js";
import { qwen3 } from "../architectures/qwen3.js";
import { t5 } from "../architectures/t5.js";
import { createTinyDecoder, type TinyDecoderOptions } from "../decoder/create.js";
import type { DecoderDescription } from "../decoder/description.js";
import { addLora } from "../lora/add.js";
import { mergeAdapterFolder } from "../lora/merge-folder.js";
import { openModel } from "../open-model.js";
import { exportGguf } from "./export.js";
import { ggufArchitectures } from "./open.js";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../../reference/golden/gguf/tokenizer-${name}.json`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gguf-models-"));
let device: Device;
const cache = process.env["XDG_CACHE_HOME"];
beforeAll(async () => {
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  device = await openDevice("cpu");
});
afterAll(async () => {
  if (cache === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cache;
  await device.close();
  rmSync(folder, { recursive: true });
});

/** A tiny model's folder with a tokenizer that GGUF can have. */
async function saved(
  name: string,
  description: DecoderDescription,
  tokenizer: string,
  options: Partial<TinyDecoderOptions> = {},
): Promise<string> {
  const files = join(folder, `${name}-files`);
  mkdirSync(files);
  copyFileSync(golden(tokenizer), join(files, "tokenizer.json"));
  const names = tokenizer.startsWith("spm") ? ["<bos>", "<eos>"] : ["<|begin|>", "<|end|>"];
  const config = {
    bos_token: names[0],
    eos_token: names[1],
    chat_template: "{{ bos_token }}{{ messages[0].content }}",
  };
  writeFileSync(join(files, "tokenizer_config.json"), JSON.stringify(config));
  const { added_tokens: added } = JSON.parse(readFileSync(golden(tokenizer), "utf8")) as {
    added_tokens: { id: number; content: string }[];
  };
  const end = added.find(({ content }) => content === names[1])!.id;
  const model = await createTinyDecoder(
    device,
    description,
    { vocabSize: 500, hiddenSize: 64, intermediateSize: 96, eosTokenIds: [end], ...options },
    5,
    { tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((one) => join(files, one)) },
  );
  for (const parameter of model.parameters)
    if (parameter.shape.length === 1) {
      const elements = parameter.array.data as Float32Array;
      for (let i = 0; i < elements.length; i++) elements[i]! += ((i * 37) % 19) / 40;
    }
  await model.save(join(folder, name));
  await model.dispose();
  return join(folder, name);
}

const PROMPTS = [[5, 9, 300, 41, 7], Array.from({ length: 40 }, (_, i) => (i * 31) % 480)];
const LETTERS = Array.from({ length: 50 }, (_, i) => 10 * i);
async function answers(place: string): Promise<{ letters: number[][]; ends: readonly number[] }> {
  const { model } = await openModel(place, device);
  const letters = await model.letterLogProbabilities(PROMPTS, LETTERS);
  const ends = model.endTokens;
  await model.dispose();
  return { letters, ends };
}

const llama3 = {
  ropeType: "llama3",
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositionEmbeddings: 64,
} as const;
const rope = { ropeTheta: 500_000, ...llama3 };
const MODELS: [string, DecoderDescription, string, Partial<TinyDecoderOptions>][] = [
  ["gemma2", gemma2, "spm", { slidingWindow: 8, numHiddenLayers: 4, layerTypes: windows(4, 2) }],
  ["gemma3", gemma3, "spm", { slidingWindow: 8, numHiddenLayers: 7, layerTypes: windows(7, 6) }],
  ["qwen2", qwen2, "qwen2", { tieWordEmbeddings: true }],
  ["qwen3", qwen3, "qwen2", {}],
  ["llama", llama, "llama-bpe", { ropeParameters: { full_attention: rope, sliding_attention: rope } }],
];

function windows(layers: number, every: number): ("sliding_attention" | "full_attention")[] {
  return Array.from({ length: layers }, (_, i) => ((i + 1) % every === 0 ? "full_attention" : "sliding_attention"));
}

describe.each(MODELS)("%s", (name, description, tokenizer, options) => {
  it("goes into GGUF and back, weight for weight, and answers alike", async () => {
    const place = await saved(name, description, tokenizer, options);
    const out = join(folder, `${name}.gguf`);
    await exportGguf(place, out, { kind: "F32" });
    const [before, after] = [await answers(place), await answers(out)];
    expect(after).toEqual(before);
    const [ours, theirs] = [await loadTokenizer({ source: out }), await loadTokenizer({ source: place })];
    const text = "The capital isn't Paris,  12345 Größe 東京";
    expect(await ours.encode(text, true)).toEqual(await theirs.encode(text, true));
    await expect(exportGguf(place, out, { kind: "F32" })).rejects.toThrow(/is there already/);
  });

  it.each(["F16", "BF16", "Q8_0", "Q4_0"] as const)("is stored as %s as Python's gguf would", async (kind) => {
    const [exact, out] = [join(folder, `${name}.gguf`), join(folder, `${name}-${kind}.gguf`)];
    await exportGguf(join(folder, name), out, { kind });
    const [one, other] = [GgufFile.open(exact), GgufFile.open(out)];
    expect([...other.tensors.keys()]).toEqual([...one.tensors.keys()]);
    for (const { name: tensor, kind: as, shape } of other.tensors.values()) {
      const fits = shape.at(-1)! % KINDS[kind].elements === 0;
      expect(as).toBe(shape.length === 1 ? "F32" : fits ? kind : "F16");
      const values = one.readRows(tensor, 0, shape.length === 1 ? 1 : shape[0]!);
      expect(other.readBytes(tensor)).toEqual(quantize(values, shape.length === 1 ? "F32" : kind));
    }
    one.close();
    other.close();
    if (kind === "Q8_0") expect((await answers(out)).letters.flat().every(Number.isFinite)).toBe(true);
  });
});

describe("an adapter", () => {
  it("on a GGUF file is trained, merged and exported as on the folder", async () => {
    const place = await saved("base", llama, "llama-bpe", {});
    const base = join(folder, "base.gguf");
    await exportGguf(place, base, { kind: "F32" });
    const { model } = await openModel(base, device);
    const lora = { rank: 2, alpha: 4, dropout: 0, modules: ["q_proj", "k_proj", "down_proj"], base };
    await addLora(model.weights, lora, 3);
    for (const parameter of model.parameters)
      if (parameter.name.includes("lora_B"))
        (parameter.array.data as Float32Array).forEach((_, i, all) => (all[i] = ((i % 7) - 3) / 20));
    const wanted = await model.letterLogProbabilities(PROMPTS, LETTERS);
    const adapter = join(folder, "adapter");
    await model.save(adapter);
    await model.dispose();
    const [merged, out] = [join(folder, "merged"), join(folder, "adapter.gguf")];
    await mergeAdapterFolder(adapter, merged);
    await exportGguf(adapter, out, { kind: "F32" });
    const near = (found: number[][]): void =>
      found.flat().forEach((value, i) => {
        expect(Math.abs(value - wanted.flat()[i]!)).toBeLessThan(1e-4);
      });
    near((await answers(merged)).letters);
    near((await answers(out)).letters);
    expect(await answers(out)).toEqual(await answers(merged));
  });
});

describe("what cannot be", () => {
  it("a model whose scale, windows or biases GGUF has no place for is refused, and nothing is left", async () => {
    const cases: [string, DecoderDescription, Partial<TinyDecoderOptions>, RegExp][] = [
      ["scale", gemma2, { queryPreAttnScalar: 20 }, /query_pre_attn_scalar is 20, not 16/],
      ["pattern", gemma3, { layerTypes: windows(2, 2) }, /layer_types has full_attention for layer 1/],
      ["output", gemma2, { tieWordEmbeddings: false }, /the output layer \(lm_head\.weight\) is not the embedding/],
      ["heads", qwen2, { headDim: 24, tieWordEmbeddings: true }, /head_dim is 24, not hidden_size/],
      ["caps", gemma2, { attnLogitSoftcapping: null }, /attn_logit_softcapping is null/],
    ];
    for (const [name, description, options, message] of cases) {
      const place = await saved(`no-${name}`, description, "spm", options);
      await expect(exportGguf(place, join(folder, "no.gguf"), { kind: "F32" })).rejects.toThrow(message);
    }
    expect(existsSync(join(folder, "no.gguf"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  it("a file of another architecture, an adapter, or with a tensor or key beyond the model is refused by name", async () => {
    const whole = GgufFile.open(join(folder, "qwen3.gguf"));
    const bytes = readFileSync(join(folder, "qwen3.gguf"));
    const changed = (from: string, to: string): string => {
      const path = join(folder, "changed.gguf");
      const copy = Buffer.from(bytes);
      for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + 1)) copy.write(to, at);
      writeFileSync(path, copy);
      return path;
    };
    await expect(openModel(changed("qwen3", "bert9"), device)).rejects.toThrow(/"bert9" is not supported/);
    await expect(openModel(changed("qwen3.context_length", "qwen3.contextXlength"), device)).rejects.toThrow(
      /qwen3\.contextXlength = 512 is not supported/,
    );
    await expect(openModel(changed("blk.1.attn_q.weight", "blk.1.attn_z.weight"), device)).rejects.toThrow(
      /the tensor blk\.1\.attn_z\.weight/,
    );
    await expect(openModel(changed("blk.1.ffn_up", "blk.9.ffn_up"), device)).rejects.toThrow(/blk\.9\.ffn_up/);
    await expect(openModel(join(folder, "absent.gguf"), device)).rejects.toThrow(/there is no file/);
    whole.close();
  });

  it("of two architectures that write files under one name, the first in the registry reads them", () => {
    const other = { ...llama, modelType: "mistral" };
    expect(ggufArchitectures([t5, llama, other, qwen2]).get("llama")).toBe(llama);
    expect([...ggufArchitectures([t5, llama, other, qwen2]).keys()]).toEqual(["llama", "qwen2"]);
  });

  it("a disk that fills leaves nothing behind", () => {
    const path = join(folder, "full.gguf");
    const full = Object.assign(new Error("no space left"), { syscall: "write", code: "ENOSPC" });
    const tensor = {
      name: "a",
      kind: "F32" as const,
      shape: [1],
      pieces: () => {
        throw full;
      },
    };
    expect(() => writeGguf(path, new Map(), [tensor])).toThrow(/cannot write/);
    expect(readdirSync(folder).filter((name) => name.startsWith("full.gguf"))).toEqual([]);
  });
});
