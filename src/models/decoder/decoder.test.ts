import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bfloat16Bits, type Device, openDevice } from "../../graph/index.js";
import { gemma2 } from "../architectures/gemma2.js";
import { openCheckpoint } from "../load.js";
import { loadDecoder } from "../load-model.js";
import { addLora, baseOf, loadAdapter, mergeAdapters, readAdapterSettings } from "../lora/index.js";
import { type Example, readLoss } from "../model.js";
import { Random } from "../random.js";
import { writeSafetensors } from "../write-safetensors.js";
import { createTinyDecoder, type TinyDecoderOptions } from "./create.js";
import type { DecoderModel } from "./decoder.js";

const random = new Random(5);
const tokens = (count: number): number[] => Array.from({ length: count }, () => 3 + random.below(57));
const example = (id: string, inputs: number, targets: number): Example => ({
  id,
  input: [2, ...tokens(inputs)],
  target: tokens(targets),
});
const EXAMPLES = [
  example("a", 5, 1),
  example("b", 17, 2),
  example("c", 30, 1),
  example("d", 1, 3),
  example("e", 12, 1),
];
const PROMPTS = EXAMPLES.map(({ input }) => input);
const MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

let device: Device;
let model: DecoderModel;
const folder = mkdtempSync(join(tmpdir(), "gemma2-"));
const tiny = (seed = 1, more: Partial<TinyDecoderOptions> = {}): Promise<DecoderModel> =>
  createTinyDecoder(
    device,
    gemma2,
    { vocabSize: 60, slidingWindow: 6, eosTokenIds: [], attnLogitSoftcapping: 4, finalLogitSoftcapping: 6, ...more },
    seed,
  );
beforeAll(async () => {
  device = await openDevice("cpu");
  model = await tiny();
});
afterAll(async () => {
  await model.dispose();
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});

async function gradientsOf(
  of: DecoderModel,
  examples: readonly Example[],
  dropoutSeed?: number,
): Promise<{ loss: number; all: Map<string, Float32Array> }> {
  const all = new Map<string, Float32Array>();
  const { lossSum } = await readLoss(
    of.device,
    await of.lossAndGradients(examples, {
      scale: 1,
      dropoutSeed,
      receive: (parameter, gradient) => void all.set(parameter.name, (gradient.data as Float32Array).slice()),
    }),
  );
  return { loss: lossSum, all };
}

function distance(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  expect([...a.keys()].sort()).toEqual([...b.keys()].sort());
  return Math.max(
    ...[...a].map(([name, values]) => {
      const other = b.get(name)!;
      return Math.hypot(...values.map((value, i) => value - other[i]!)) / (Math.hypot(...other) || 1);
    }),
  );
}

describe("Gemma 2's loss and gradients", () => {
  it("come for every parameter, and do not depend on the batch or on padding", async () => {
    const whole = await gradientsOf(model, EXAMPLES);
    expect([...whole.all.keys()].sort()).toEqual(model.parameters.map(({ name }) => name).sort());
    const summed = new Map(model.parameters.map(({ name, array }) => [name, new Float32Array(array.size)]));
    let loss = 0;
    for (const one of EXAMPLES) {
      const part = await gradientsOf(model, [one]);
      loss += part.loss;
      for (const [name, values] of part.all) values.forEach((value, i) => (summed.get(name)![i]! += value));
    }
    expect(loss / whole.loss).toBeCloseTo(1, 5);
    expect(distance(whole.all, summed)).toBeLessThan(1e-4);
    expect((await model.loss(EXAMPLES)).lossSum / whole.loss).toBeCloseTo(1, 6);
  });

  it("with an adapter's dropout are repeatable from the seed, differ between seeds, and are right on average", async () => {
    const own = await tiny(2);
    await addLora(own.weights, { rank: 3, alpha: 6, dropout: 0.4, modules: MODULES, base: "" }, 1);
    const noise = new Random(4);
    for (const { name, array } of own.parameters)
      if (name.includes("lora_B")) noise.fillNormal(array.data as Float32Array, 0.05);
    const [once, again, other] = [
      await gradientsOf(own, EXAMPLES, 7),
      await gradientsOf(own, EXAMPLES, 7),
      await gradientsOf(own, EXAMPLES, 8),
    ];
    expect([...once.all.keys()].every((name) => name.includes("lora_"))).toBe(true);
    expect(distance(once.all, again.all)).toBe(0);
    expect(distance(once.all, other.all)).toBeGreaterThan(0.01);
    const losses: number[] = [];
    for (let seed = 0; seed < 60; seed++) losses.push((await gradientsOf(own, EXAMPLES, seed)).loss);
    const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
    expect(mean / (await own.loss(EXAMPLES)).lossSum).toBeCloseTo(1, 1);
    await own.dispose();
  });
});

describe("Gemma 2's generation", () => {
  it("is that of whole passes, past the window and past the cache's first room", async () => {
    const steps = 45;
    const [reply] = await model.generate([PROMPTS[0]!], { maximumNewTokens: steps });
    const row = [...PROMPTS[0]!];
    for (const token of reply!.tokens) {
      const [next] = await model.generate([row], { maximumNewTokens: 1 });
      expect(next!.tokens[0]).toBe(token);
      row.push(token);
    }
    expect(reply!.tokens).toHaveLength(steps);
  });

  it("does not depend on the batch", async () => {
    const together = await model.generate(PROMPTS, { maximumNewTokens: 10 });
    for (const [row, prompt] of PROMPTS.entries())
      expect((await model.generate([prompt], { maximumNewTokens: 10 }))[0]!.tokens).toEqual(together[row]!.tokens);
    const letters = await model.letterLogProbabilities(PROMPTS, [5, 6, 7, 8]);
    const [alone] = await model.letterLogProbabilities([PROMPTS[2]!], [5, 6, 7, 8]);
    alone!.forEach((value, i) => expect(value).toBeCloseTo(letters[2]![i]!, 4));
  });

  it("does not depend on how many passes read the prompts", async () => {
    const [few] = await model.generate(PROMPTS.slice(0, 1), { maximumNewTokens: 3 });
    // More tokens than one pass reads.
    const many = await model.generate(
      [
        ...Array.from({ length: 10 }, (_, row) => Array.from({ length: 450 }, (_, i) => 3 + ((row * 7 + i) % 50))),
        PROMPTS[0]!,
      ],
      { maximumNewTokens: 3 },
    );
    expect(many.at(-1)!.tokens).toEqual(few!.tokens);
  });

  it("refuses prompts that are too long, or have tokens that it has not", async () => {
    await expect(model.generate([Array<number>(513).fill(3)], { maximumNewTokens: 1 })).rejects.toThrow(
      /513 tokens, and the model takes 512/,
    );
    await expect(model.generate([[2, 60]], { maximumNewTokens: 1 })).rejects.toThrow(
      /the token 60, and the model only 60/,
    );
  });
});

describe("Gemma 2, saved", () => {
  it("is the same when it is loaded again", async () => {
    await model.save(join(folder, "saved"));
    const again = await loadDecoder(join(folder, "saved"), device);
    expect((await again.loss(EXAMPLES)).lossSum).toBe((await model.loss(EXAMPLES)).lossSum);
    await again.dispose();
  });

  it("ends replies where generation_config.json says so, which knows the end of a chat's turn", async () => {
    await model.save(join(folder, "chats"));
    writeFileSync(
      join(folder, "chats", "generation_config.json"),
      JSON.stringify({ bos_token_id: 2, eos_token_id: [1, 7], pad_token_id: 0 }),
    );
    const again = await loadDecoder(join(folder, "chats"), device);
    expect(again.endTokens).toEqual([1, 7]);
    await again.dispose();
  });

  it("with an adapter is the same from the adapter's folder, and when it is merged", async () => {
    const own = await tiny(3);
    await own.save(join(folder, "base"));
    await addLora(
      own.weights,
      {
        rank: 2,
        alpha: 4,
        dropout: 0,
        modules: ["q_proj", "down_proj"],
        base: join(folder, "base"),
        revision: "a".repeat(40),
      },
      1,
    );
    const noise = new Random(4);
    for (const { name, array } of own.parameters)
      if (name.includes("lora_B")) noise.fillNormal(array.data as Float32Array, 0.1);
    const { lossSum } = await own.loss(EXAMPLES);
    await own.save(join(folder, "adapter"));
    const settings = await readAdapterSettings(join(folder, "adapter"));
    expect(baseOf(settings, {})).toEqual({ base: join(folder, "base"), revision: "a".repeat(40) });
    expect(baseOf(settings, { revision: "main" }).revision).toBe("main");
    expect(baseOf(settings, { base: "another/base" })).toEqual({ base: "another/base", revision: undefined });
    const again = await loadDecoder(join(folder, "base"), device);
    const bare = (await again.loss(EXAMPLES)).lossSum;
    await loadAdapter(again.weights, join(folder, "adapter"));
    expect((await again.loss(EXAMPLES)).lossSum).toBe(lossSum);
    expect(Math.abs(bare - lossSum)).toBeGreaterThan(1e-3);
    await mergeAdapters(again.weights);
    expect((await again.loss(EXAMPLES)).lossSum / lossSum).toBeCloseTo(1, 5);
    await again.dispose();
    await own.dispose();
  });

  it("compact holds bfloat16 weights as they are stored: the same numbers from half the memory", async () => {
    // A width whose root bfloat16 has not: what tokens' rows are multiplied by does not depend on how they are held.
    await (await tiny(6, { hiddenSize: 48 })).save(join(folder, "float32"));
    const [from, to] = [await openCheckpoint(join(folder, "float32")), join(folder, "bfloat16")];
    mkdirSync(to);
    const tensors = await Promise.all(
      from.weights.names.map(async (name) => {
        const words = bfloat16Bits(await from.weights.readFloat32(name));
        return { name, shape: from.weights.entry(name).shape, type: "BF16" as const, elements: () => words };
      }),
    );
    writeSafetensors(join(to, "model.safetensors"), tensors);
    for (const name of ["config.json", "generation_config.json"]) copyFileSync(join(from.folder, name), join(to, name));
    await from.close();

    const [whole, held] = [
      await loadDecoder(to, device, { frozen: false }),
      await loadDecoder(to, device, { frozen: true, compact: true }),
    ];
    const bytes = ({ parameters, stored }: DecoderModel): number =>
      parameters.reduce((sum, { array }) => sum + array.bytes, 0) + stored.bytes;
    expect(bytes(held)).toBeLessThan(0.6 * bytes(whole));
    expect(held.weights.linearLayers).toEqual(whole.weights.linearLayers);
    await expect(held.save(join(folder, "never"))).rejects.toThrow(/not saved as a whole/);
    for (const each of [whole, held]) {
      await addLora(each.weights, { rank: 2, alpha: 4, dropout: 0, modules: ["v_proj", "up_proj"], base: to }, 1);
      const noise = new Random(4);
      for (const { name, array } of each.parameters)
        if (name.includes("lora_B")) noise.fillNormal(array.data as Float32Array, 0.1);
    }
    const [one, other] = [await gradientsOf(whole, EXAMPLES), await gradientsOf(held, EXAMPLES)];
    expect(other.loss).toBe(one.loss);
    expect(distance(one.all, other.all)).toBe(0);
    const ask = { maximumNewTokens: 4 };
    expect(await held.generate(PROMPTS, ask)).toEqual(await whole.generate(PROMPTS, ask));
    await mergeAdapters(held.weights);
    expect((await held.loss(EXAMPLES)).lossSum / one.loss).toBeCloseTo(1, 5);
    for (const each of [whole, held]) await each.dispose();
  });

  it("refuses an adapter of another base, naming it, and a rank of 0", async () => {
    const other = await createTinyDecoder(device, gemma2, { vocabSize: 60, hiddenSize: 32 }, 1);
    await expect(loadAdapter(other.weights, join(folder, "adapter"))).rejects.toThrow(
      /is for another base \(.*base\): .*lora_A\.weight has the shape \[2, 64\], and the model's layer asks for \[2, 32\]/,
    );
    await expect(
      addLora(other.weights, { rank: 0, alpha: 1, dropout: 0, modules: ["q_proj"], base: "" }, 1),
    ).rejects.toThrow(/lora\.r: 0 is no whole number/);
    await expect(
      addLora(other.weights, { rank: 2, alpha: 1, dropout: 0, modules: ["wi_0"], base: "" }, 1),
    ).rejects.toThrow(/no layer of the model is named wi_0/);
    await other.dispose();
  });
});
