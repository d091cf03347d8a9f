import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AutoModelForCausalLM,
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  env,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  Tensor,
} from "@huggingface/transformers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, openDevice } from "../src/graph/index.js";
import {
  addLora,
  createTinyDecoder,
  createTinyT5,
  type DecoderDescription,
  exportGguf,
  exportOnnx,
  gemma2,
  gemma3,
  type LanguageModel,
  type LocalModel,
  llama,
  openModel,
  qwen2,
  qwen3,
  Random,
  type TinyDecoderOptions,
  type TinyT5Options,
} from "../src/models/index.js";
import { loadTokenizer, makeTokenizer } from "../src/tokens/index.js";
import { mmmlu } from "./command.js";
import { stepped } from "./faults/common.js";

env.allowRemoteModels = false;

/** Tokens that are generated. */
const NEW = 10;
/** Largest difference of logits from those of our own float32 weights, in the logits' root mean squares. */
const DISTANCE = { fp32: 1e-4, q8: 0.3 };

const folder = mkdtempSync(join(tmpdir(), "transformers-js-"));
let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

const PROMPTS = [
  "The capital of France is Paris, isn't it?  We'll see: 12345 + 67.\n\nA. yes\nB. no",
  "Die Größe der Straße beträgt 100 m; das weiß man nicht genau.",
  "東京は日本の首都です。",
  "a",
];

const golden = (name: string): string => fileURLToPath(new URL(`../reference/golden/${name}`, import.meta.url));

/** A folder of tokenizer's files: a published kind's, of 512 tokens. */
function tokenizerFiles(kind: string): string[] {
  const place = join(folder, `tokenizer-${kind}`);
  if (!existsSync(place)) {
    mkdirSync(place);
    copyFileSync(golden(`gguf/tokenizer-${kind}.json`), join(place, "tokenizer.json"));
    const [begin, end] = kind.startsWith("spm") ? ["<bos>", "<eos>"] : ["<|begin|>", "<|end|>"];
    const config = { bos_token: { content: begin, lstrip: false }, eos_token: end, pad_token: end };
    writeFileSync(join(place, "tokenizer_config.json"), JSON.stringify(config));
    writeFileSync(join(place, "chat_template.jinja"), "{% for m in messages %}{{ m.content }}{% endfor %}");
  }
  return readdirSync(place).map((name) => join(place, name));
}

/** Norms and biases that are not all alike; tokens that a tied table does not simply repeat. */
function scatter(model: LanguageModel): void {
  const random = new Random(11);
  for (const { array, name } of model.parameters)
    if (name.endsWith("embed_tokens.weight"))
      for (let i = 0; i < array.size; i++) (array.data as Float32Array)[i]! *= 0.25;
  for (const { array, shape } of model.parameters)
    if (shape.length === 1)
      for (let i = 0; i < array.size; i++) (array.data as Float32Array)[i]! += 0.2 * random.normal();
}

async function saved(name: string, model: LanguageModel): Promise<string> {
  scatter(model);
  await model.save(join(folder, name));
  await model.dispose();
  return join(folder, name);
}

const windows = (layers: number, every: number) =>
  Array.from({ length: layers }, (_, i) =>
    (i + 1) % every === 0 ? ("full_attention" as const) : ("sliding_attention" as const),
  );
const llama3 = {
  ropeType: "llama3",
  ropeTheta: 10_000,
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositionEmbeddings: 64,
} as const;
const DECODERS: [string, DecoderDescription, string, Partial<TinyDecoderOptions>][] = [
  ["gemma2", gemma2, "spm", { slidingWindow: 8, numHiddenLayers: 3, layerTypes: windows(3, 2) }],
  ["gemma3", gemma3, "spm", { slidingWindow: 8, numHiddenLayers: 3, layerTypes: windows(3, 3) }],
  ["qwen2", qwen2, "qwen2", { tieWordEmbeddings: true }],
  ["qwen3", qwen3, "qwen2", { hiddenSize: 40 }],
  ["llama", llama, "llama-bpe", { ropeParameters: { full_attention: llama3, sliding_attention: llama3 } }],
];
const T5S: [string, Partial<TinyT5Options>][] = [
  ["t5-gated", { relativeAttentionMaxDistance: 20 }],
  ["t5-relu-tied", { feedForwardProj: "relu", scaleDecoderOutputs: true, dModel: 40, numDecoderLayers: 3 }],
];

const decoder = async (name: string): Promise<string> => {
  const [, description, kind, options] = DECODERS.find((one) => one[0] === name)!;
  const files = { tokenizer: tokenizerFiles(kind) };
  return saved(name, await createTinyDecoder(device, description, { vocabSize: 512, ...options }, 7, files));
};

const ids = (rows: readonly (readonly number[])[]): Tensor =>
  new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]!.length]);

/** The tokens that the real library generates behind some prompts, asked together, up to the one that ends a reply. */
async function generated(
  model: PreTrainedModel,
  tokenizer: PreTrainedTokenizer,
  prompts: readonly string[],
  ends: readonly number[],
): Promise<number[][]> {
  const inputs = tokenizer([...prompts], { padding: true }) as { input_ids: Tensor; attention_mask: Tensor };
  const rows = (await model.generate({ ...inputs, max_new_tokens: NEW, do_sample: false })) as Tensor;
  const from = model.config.is_encoder_decoder ? 1 : inputs.input_ids.dims[1]!;
  return (rows.tolist() as bigint[][]).map((row) => {
    const tokens = row.slice(from).map(Number);
    const end = tokens.findIndex((token) => ends.includes(token));
    return end < 0 ? tokens : tokens.slice(0, end);
  });
}

/** Exports a model and holds what the real library makes of it against our own engine. */
async function compare(source: string, type: "fp32" | "q8", fileBytes?: number): Promise<void> {
  const out = `${source}-${type}${fileBytes ?? ""}`;
  await exportOnnx(source, out, { types: [type], fileBytes });
  const { model: own, folder: files } = await openModel(source, device);
  const tokenizer = await loadTokenizer({ source: files });
  const seq2seq = !own.text.oneSequence;
  const Auto = seq2seq ? AutoModelForSeq2SeqLM : AutoModelForCausalLM;
  const theirs = await Auto.from_pretrained(out);
  const theirTokenizer = await AutoTokenizer.from_pretrained(out);
  theirTokenizer.padding_side = seq2seq ? "right" : "left";
  const prompts = await Promise.all(PROMPTS.map((prompt) => tokenizer.encode(prompt, true)));
  const ours = (await own.generate(prompts, { maximumNewTokens: NEW })).map(({ tokens }) => tokens);
  const alone = [];
  for (const [i, prompt] of PROMPTS.entries()) {
    expect((theirTokenizer(prompt) as { input_ids: Tensor }).input_ids.tolist()[0].map(Number)).toEqual(prompts[i]);
    alone.push(...(await generated(theirs, theirTokenizer, [prompt], own.endTokens)));
  }
  if (type === "fp32") {
    expect(ours.some((tokens) => new Set(tokens).size > 3)).toBe(true);
    expect(alone).toEqual(ours);
    expect(await generated(theirs, theirTokenizer, PROMPTS, own.endTokens)).toEqual(ours);
  }
  const all = Array.from({ length: own.vocabularySize }, (_, token) => token);
  let [largest, square, count] = [0, 0, 0];
  for (const prompt of prompts) {
    const input = { input_ids: ids([prompt]), attention_mask: ids([prompt.map(() => 1)]) };
    const { logits } = await theirs(seq2seq ? { ...input, decoder_input_ids: ids([[0]]) } : input);
    const values = logits.data as Float32Array;
    const compareAt = (place: number, wanted: ArrayLike<number>, shift = 0): void => {
      for (const token of all) {
        const difference = values[place * all.length + token]! - shift - wanted[token]!;
        largest = Math.max(largest, Math.abs(difference));
        square += wanted[token]! ** 2;
        count++;
      }
    };
    const local: LocalModel = own;
    if (local.promptLogits) {
      expect(logits.dims).toEqual([1, prompt.length, all.length]);
      await local.promptLogits(prompt, (place, wanted) => compareAt(place, wanted));
    } else {
      const [wanted] = await own.letterLogProbabilities([prompt], all);
      const total = Math.log([...values].reduce((sum, value) => sum + Math.exp(value), 0));
      compareAt(0, wanted!, total);
    }
  }
  expect(largest / Math.sqrt(square / count)).toBeLessThan(DISTANCE[type]);
  for (const tokens of alone) expect(tokens.every((token) => token < own.vocabularySize)).toBe(true);
  await theirs.dispose();
  await own.dispose();
}

describe("the real transformers.js", () => {
  it.each(DECODERS.map(([name]) => name))("answers as we do with a tiny %s", async (name) => {
    const source = await decoder(name);
    await compare(source, "fp32");
    await compare(source, "q8");
  });

  it.each(T5S)("answers as we do with a tiny %s", async (name, options) => {
    const place = join(folder, `${name}-tokenizer`);
    const size = makeTokenizer(PROMPTS, place, { kind: "t5", size: 400 });
    const files = { tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((one) => join(place, one)) };
    const source = await saved(name, await createTinyT5(device, { vocabSize: size + 5, ...options }, 3, files));
    await compare(source, "fp32");
    await compare(source, "q8");
  });

  it("answers as we do with a merged adapter, its weights beside the graph", async () => {
    const base = await decoder("qwen3");
    const { model } = await openModel(base, device);
    const modules = ["q_proj", "v_proj", "down_proj"];
    await addLora(model.weights, { rank: 4, alpha: 32, dropout: 0, modules, base }, 1);
    const random = new Random(5);
    for (const { b } of model.weights.adapted.values()) random.fillNormal(b.array.data as Float32Array, 0.1);
    await model.save(join(folder, "adapter"));
    await model.dispose();
    await compare(join(folder, "adapter"), "fp32", 60_000);
  });

  it("answers as we do with a GGUF file", async () => {
    const gguf = join(folder, "tiny.gguf");
    await exportGguf(await decoder("llama"), gguf, { kind: "F32" });
    await compare(gguf, "fp32");
  });

  it("loads what the command line wrote", async () => {
    const source = await decoder("qwen2");
    const asked = ["export", "onnx", source, "--type", "both"];
    const { code, out, error } = await mmmlu(asked, { folder });
    expect([code, out]).toEqual([0, "qwen2-onnx\n"]);
    expect(error).toContain("onnx/model.onnx, onnx/model_quantized.onnx");
    for (const dtype of [undefined, "q8"] as const) {
      const model = await AutoModelForCausalLM.from_pretrained(join(folder, "qwen2-onnx"), { dtype });
      const { logits } = await model({ input_ids: ids([[1, 2, 3]]), attention_mask: ids([[1, 1, 1]]) });
      expect(logits.dims).toEqual([1, 3, 512]);
      await model.dispose();
    }
    const again = await mmmlu(asked, { folder });
    expect([again.code, again.error]).toEqual([1, expect.stringMatching(/qwen2-onnx is there already[^]*--out/)]);
  });

  it.each([2, 5])("is given nothing where the disk is full at step %i", async (step) => {
    const source = await decoder("qwen2");
    const given = ["export", "onnx", source, "--out", join(folder, "full", "out")];
    const { code, error } = await stepped(given, { under: join(folder, "full"), kind: "full", at: step });
    expect([code, error]).toEqual([1, expect.stringMatching(/ENOSPC[^]*free some space/)]);
    expect(existsSync(join(folder, "full")) ? readdirSync(join(folder, "full")) : []).toEqual([]);
  });
});
