import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bfloat16Bits, type Device, openDevice } from "../../graph/index.js";
import { createTinyDecoder } from "../decoder/create.js";
import type { DecoderModel } from "../decoder/decoder.js";
import { openCheckpoint } from "../load.js";
import { loadDecoder } from "../load-model.js";
import { addLora, mergeAdapterFolder } from "../lora/index.js";
import type { Example } from "../model.js";
import { openModel } from "../open-model.js";
import { Random } from "../random.js";
import { SafetensorsFile } from "../safetensors.js";
import { type TensorToWrite, writeSafetensors } from "../write-safetensors.js";
import { gemma2 } from "./gemma2.js";
import { gemma3 } from "./gemma3.js";
import { llama } from "./llama.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";

const DECODERS = [gemma2, gemma3, qwen2, qwen3, llama];
const EXAMPLES: Example[] = [
  { id: "a", input: [2, 5, 9, 11, 4, 8, 12, 30], target: [7] },
  { id: "b", input: [2, 8], target: [6, 3] },
];
const PROMPTS = EXAMPLES.map(({ input }) => input);

let device: Device;
const folder = mkdtempSync(join(tmpdir(), "round-trip-"));
beforeAll(async () => {
  device = await openDevice("cpu", { threads: 1 });
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});

const lossOf = async (model: DecoderModel): Promise<number> => (await model.loss(EXAMPLES)).lossSum;
const create = (architecture: (typeof DECODERS)[number]): Promise<DecoderModel> => {
  const slidingWindow = "sliding_window" in architecture.config ? { slidingWindow: 4 } : {};
  return createTinyDecoder(device, architecture, { vocabSize: 40, eosTokenIds: [], ...slidingWindow }, 3);
};
/** Gives a model an adapter that changes what it says. */
async function adapt(model: DecoderModel, base: string): Promise<void> {
  const modules = ["q_proj", "v_proj", "down_proj"];
  await addLora(model.weights, { rank: 2, alpha: 4, dropout: 0, modules, base }, 1);
  const noise = new Random(4);
  for (const { name, array } of model.parameters)
    if (name.includes("lora_B")) noise.fillNormal(array.data as Float32Array, 0.1);
}

/** A folder's model with its weights as bfloat16, under other names and beside others if asked for. */
async function rewritten(
  from: string,
  to: string,
  { rename = (name: string) => name, beside = [] as TensorToWrite[] } = {},
): Promise<void> {
  mkdirSync(to);
  const checkpoint = await openCheckpoint(from);
  const tensors = await Promise.all(
    checkpoint.weights.names.map(async (name): Promise<TensorToWrite> => {
      const words = bfloat16Bits(await checkpoint.weights.readFloat32(name));
      return { name: rename(name), shape: checkpoint.weights.entry(name).shape, type: "BF16", elements: () => words };
    }),
  );
  writeSafetensors(join(to, "model.safetensors"), [...tensors, ...beside]);
  for (const name of ["config.json", "generation_config.json"]) copyFileSync(join(from, name), join(to, name));
  await checkpoint.close();
}

describe.each(DECODERS.map((one) => [one.modelType, one] as const))("%s", (type, architecture) => {
  const at = (name: string): string => join(folder, `${type}-${name}`);

  it("is the same when it is saved and loaded again, and generates as whole passes do", async () => {
    const model = await create(architecture);
    await model.save(at("base"));
    const again = await loadDecoder(at("base"), device);
    expect(await lossOf(again)).toBe(await lossOf(model));
    const [reply] = await again.generate([PROMPTS[0]!], { maximumNewTokens: 12 });
    const row = [...PROMPTS[0]!];
    for (const token of reply!.tokens) {
      const [next] = await model.generate([row], { maximumNewTokens: 1 });
      expect(next!.tokens[0]).toBe(token);
      row.push(token);
    }
    for (const one of [model, again]) await one.dispose();
  });

  it("holds frozen bfloat16 weights as they are stored, tables and all, and says what they take", async () => {
    await rewritten(at("base"), at("bfloat16"));
    const whole = await loadDecoder(at("bfloat16"), device, { frozen: false });
    const held = await loadDecoder(at("bfloat16"), device, { frozen: true, compact: true });
    expect(await lossOf(held)).toBe(await lossOf(whole));
    const elements = whole.parameters.reduce((sum, { array }) => sum + array.size, 0);
    expect(held.stored.count + held.parameters.reduce((sum, { array }) => sum + array.size, 0)).toBe(elements);
    expect(held.stored.bytes).toBe(2 * held.stored.count);
    expect(held.stored.count).toBeGreaterThan(0.9 * elements);
    for (const one of [whole, held]) await one.dispose();
  });

  it("with an adapter is the same from its folder, on quantized weights too, and when it is merged", async () => {
    for (const kind of ["none", "nf4", "int8"] as const) {
      const own = (await openModel(at("base"), device, { quantization: { kind } })).model as DecoderModel;
      const bare = await lossOf(own);
      await adapt(own, at("base"));
      const loss = await lossOf(own);
      expect(Math.abs(loss - bare)).toBeGreaterThan(1e-3);
      await own.save(at(`adapter-${kind}`));
      const again = await openModel(at(`adapter-${kind}`), device, { quantization: { kind } });
      expect(await lossOf(again.model as DecoderModel)).toBe(loss);
      if (kind === "none") {
        await mergeAdapterFolder(at("adapter-none"), at("merged"));
        const merged = await loadDecoder(at("merged"), device);
        expect((await lossOf(merged)) / loss).toBeCloseTo(1, 5);
        await merged.dispose();
      }
      for (const one of [own, again.model]) await one.dispose();
    }
  });

  it("refuses weights that it would leave out", async () => {
    const beside: TensorToWrite[] = [
      { name: "model.layers.0.self_attn.sinks", shape: [2], type: "F32", elements: () => new Float32Array(2) },
    ];
    await rewritten(at("base"), at("more"), { beside });
    await expect(loadDecoder(at("more"), device)).rejects.toThrow(
      /has a weight that .* does not have: model\.layers\.0\.self_attn\.sinks/,
    );
  });
});

describe("an output layer", () => {
  it("that is there and is not the embedding counts, whatever config.json says; one that is, is tied", async () => {
    const config = { vocabSize: 40, eosTokenIds: [] };
    const apart = await createTinyDecoder(device, llama, { ...config, tieWordEmbeddings: false }, 3);
    const at = join(folder, "apart");
    await apart.save(at);
    const path = join(at, "config.json");
    const json = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...json, tie_word_embeddings: true }));
    const again = await loadDecoder(at, device);
    expect(again.config.tieWordEmbeddings).toBe(false);
    expect(await lossOf(again)).toBe(await lossOf(apart));

    const tied = await createTinyDecoder(device, llama, { ...config, tieWordEmbeddings: true }, 3);
    await tied.save(join(folder, "tied"));
    const embedding = tied.weights.get("model.embed_tokens.weight");
    const words = bfloat16Bits(embedding.array.data as Float32Array);
    const beside: TensorToWrite[] = [
      { name: "lm_head.weight", shape: embedding.shape, type: "BF16", elements: () => words },
    ];
    await rewritten(join(folder, "tied"), join(folder, "tied-twice"), { beside });
    const once = await loadDecoder(join(folder, "tied-twice"), device);
    expect(once.config.tieWordEmbeddings).toBe(true);
    for (const one of [apart, again, tied, once]) await one.dispose();
  });
});

describe("the text part of a Gemma 3 that sees", () => {
  const vision: TensorToWrite[] = [
    { name: "vision_tower.patch.weight", shape: [2, 2], type: "F32", elements: () => Float32Array.of(1, 2, 3, 4) },
  ];

  it("is read from its names, adapted by transformers' names, merged beside the rest, and saved as a text model", async () => {
    const text = join(folder, "gemma3_text-base");
    const sees = join(folder, "sees");
    await rewritten(text, sees, { rename: (name) => `language_model.${name}`, beside: vision });
    const json = JSON.parse(readFileSync(join(text, "config.json"), "utf8")) as Record<string, unknown>;
    writeFileSync(
      join(sees, "config.json"),
      JSON.stringify({ model_type: "gemma3", text_config: json, vision_config: {} }),
    );
    await rewritten(text, join(folder, "words"));
    const [model, plain] = [await loadDecoder(sees, device), await loadDecoder(join(folder, "words"), device)];
    expect(await lossOf(model)).toBe(await lossOf(plain));

    await model.save(join(folder, "words-again"));
    const again = await loadDecoder(join(folder, "words-again"), device);
    expect(await lossOf(again)).toBe(await lossOf(plain));
    expect(JSON.parse(readFileSync(join(folder, "words-again", "config.json"), "utf8"))).toMatchObject({
      model_type: "gemma3_text",
    });

    await adapt(model, sees);
    await model.save(join(folder, "sees-adapter"));
    const adapter = await SafetensorsFile.open(join(folder, "sees-adapter", "adapter_model.safetensors"));
    expect([...adapter.tensors.keys()]).toContain(
      "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight",
    );
    await adapter.close();
    await mergeAdapterFolder(join(folder, "sees-adapter"), join(folder, "sees-merged"), { float32: true });
    const merged = await loadDecoder(join(folder, "sees-merged"), device);
    expect((await lossOf(merged)) / (await lossOf(model))).toBeCloseTo(1, 5);
    const file = await SafetensorsFile.open(join(folder, "sees-merged", "model.safetensors"));
    expect([...(await file.readFloat32("vision_tower.patch.weight"))]).toEqual([1, 2, 3, 4]);
    expect([...file.tensors.keys()]).toContain("language_model.model.norm.weight");
    await file.close();
    for (const one of [model, plain, again, merged]) await one.dispose();
  });
});
