import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, openDevice } from "../../graph/index.js";
import { loadT5 } from "../load-model.js";
import { type Example, type GradientOptions, readLoss } from "../model.js";
import { Random } from "../random.js";
import { makeParameter } from "../weights.js";
import { writeSafetensors } from "../write-safetensors.js";
import { createTinyT5 } from "./create.js";
import type { T5Model } from "./t5.js";

const random = new Random(5);
const tokens = (count: number): number[] => Array.from({ length: count }, () => 2 + random.below(98));
const example = (id: string, inputs: number, targets: number): Example => ({
  id,
  input: tokens(inputs),
  target: tokens(targets),
});
const EXAMPLES = [
  example("a", 5, 1),
  example("b", 17, 2),
  example("c", 30, 1),
  example("d", 1, 3),
  example("e", 12, 1),
  example("f", 9, 2),
  example("g", 21, 1),
  example("h", 8, 1),
];
const SIZES = {
  vocabSize: 100,
  dModel: 32,
  dKv: 8,
  numHeads: 3,
  dFf: 48,
  relativeAttentionNumBuckets: 8,
  relativeAttentionMaxDistance: 12,
};

let device: Device;
let model: T5Model;
const folder = mkdtempSync(join(tmpdir(), "t5-"));
beforeAll(async () => {
  device = await openDevice("cpu");
  // No end tokens, so that every reply has the length asked for.
  model = await createTinyT5(device, { ...SIZES, eosTokenIds: [] }, 1);
});
afterAll(async () => {
  await model.dispose();
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Gradients {
  readonly loss: number;
  readonly tokens: number;
  readonly byName: Map<string, Float32Array>;
}

async function gradientsOf(
  of: T5Model,
  examples: readonly Example[],
  options: Partial<GradientOptions> = {},
): Promise<Gradients> {
  const byName = new Map<string, Float32Array>();
  const { lossSum, tokens } = await readLoss(
    of.device,
    await of.lossAndGradients(examples, {
      scale: 1,
      receive: (parameter, gradient) => void byName.set(parameter.name, (gradient.data as Float32Array).slice()),
      ...options,
    }),
  );
  return { loss: lossSum, tokens, byName };
}

/** The largest distance of two sets of gradients, each relative to its tensor's norm. */
function distance(a: Gradients, b: Gradients): number {
  expect([...a.byName.keys()]).toEqual([...b.byName.keys()]);
  let worst = 0;
  for (const [name, values] of a.byName) {
    const other = b.byName.get(name)!;
    let [difference, norm] = [0, 0];
    values.forEach((value, i) => {
      difference += (value - other[i]!) ** 2;
      norm += value ** 2;
    });
    worst = Math.max(worst, Math.sqrt(difference) / (Math.sqrt(norm) || 1));
  }
  return worst;
}

it("trains on the CPU with as many operators as in version 0.1, in one run, nothing copied", async () => {
  const own = await createTinyT5(device, { vocabSize: 1024 }, 1);
  const before = device.counters;
  await gradientsOf(own, [{ id: "a", input: [3, 4, 5], target: [6, 1] }], { dropoutSeed: 1 });
  const after = device.counters;
  // 908 of them are left when the runtime has optimized the graph.
  expect({ runs: after.runs - before.runs, nodes: after.nodes - before.nodes }).toEqual({ runs: 1, nodes: 987 });
  expect(after).toMatchObject({ uploads: 0, bytesSent: 0, bytesRead: 0, waits: 0 });
  await own.dispose();
});

describe("T5's loss and gradients", () => {
  it("come for every parameter, in its shape, and agree with small changes of the weights", async () => {
    const { byName, loss } = await gradientsOf(model, EXAMPLES);
    expect([...byName.keys()]).toEqual(model.parameters.map(({ name }) => name));
    const step = new Random(8);
    for (const { name, array } of model.parameters) {
      const values = array.data as Float32Array;
      const before = values.slice();
      const direction = Float32Array.from(values, () => step.normal());
      const slope = byName.get(name)!.reduce((sum, value, i) => sum + value * direction[i]!, 0);
      const size = Math.min(2e-2, 0.05 / (Math.abs(slope) || 1)) + 1e-4;
      const at = async (t: number): Promise<number> => {
        values.forEach((_, i) => (values[i] = before[i]! + t * size * direction[i]!));
        return (await model.loss(EXAMPLES)).lossSum;
      };
      // fourth-order differences: the loss is in float32
      const difference = (8 * ((await at(1)) - (await at(-1))) - ((await at(2)) - (await at(-2)))) / (12 * size);
      values.set(before);
      expect(Math.abs(difference - slope), name).toBeLessThan(0.03 * Math.abs(slope) + (2e-6 * loss) / size);
    }
  });

  it("do not depend on the batch or on padding", async () => {
    const whole = await gradientsOf(model, EXAMPLES);
    const summed: Gradients = {
      loss: 0,
      tokens: 0,
      byName: new Map(model.parameters.map(({ name, array }) => [name, new Float32Array(array.size)])),
    };
    let [loss, count] = [0, 0];
    for (const one of EXAMPLES) {
      const part = await gradientsOf(model, [one]);
      loss += part.loss;
      count += part.tokens;
      for (const [name, values] of part.byName) values.forEach((value, i) => (summed.byName.get(name)![i]! += value));
    }
    expect(count).toBe(whole.tokens);
    expect(loss / whole.loss).toBeCloseTo(1, 5);
    expect(distance(whole, summed)).toBeLessThan(1e-4);
  });

  it("are the same from keys and values as from the encoder's states", async () => {
    const short = await gradientsOf(model, EXAMPLES);
    // A ninth target token makes the graph that computes keys and values; without a target of its own it counts for
    // nothing else.
    const long = { ...EXAMPLES[0]!, target: tokens(9) };
    const [both, alone] = [await gradientsOf(model, [...EXAMPLES, long]), await gradientsOf(model, [long])];
    expect(both.loss - alone.loss).toBeCloseTo(short.loss, 2);
    for (const [name, values] of both.byName)
      values.forEach((value, i) => (values[i] = value - alone.byName.get(name)![i]!));
    expect(distance(short, both)).toBeLessThan(1e-3);
  });

  it("are multiplied by the scale, and survive recycling", async () => {
    const once = await gradientsOf(model, EXAMPLES.slice(0, 3));
    const twice = await gradientsOf(model, EXAMPLES.slice(0, 3), {
      scale: 0.5,
      receive: (parameter, gradient) => model.recycle(parameter, gradient),
    });
    expect(twice.loss).toBe(once.loss);
    const again = await gradientsOf(model, EXAMPLES.slice(0, 3), { scale: 0.5 });
    for (const values of again.byName.values()) values.forEach((value, i) => (values[i] = 2 * value));
    expect(distance(once, again)).toBeLessThan(1e-6);
  });

  it("with dropout are repeatable from the seed, and differ between seeds", async () => {
    const [a, b, c] = [
      await gradientsOf(model, EXAMPLES, { dropoutSeed: 3 }),
      await gradientsOf(model, EXAMPLES, { dropoutSeed: 3 }),
      await gradientsOf(model, EXAMPLES, { dropoutSeed: 4 }),
    ];
    expect(distance(a, b)).toBe(0);
    expect(a.loss).toBe(b.loss);
    expect(a.loss).not.toBe(c.loss);
    const still = await createTinyT5(device, { ...SIZES, dropoutRate: 0 }, 1);
    expect((await gradientsOf(still, EXAMPLES, { dropoutSeed: 3 })).loss).toBe((await model.loss(EXAMPLES)).lossSum);
    await still.dispose();
  });

  it("of frozen parameters are not handed out", async () => {
    const partly = await createTinyT5(device, SIZES, 1);
    for (const parameter of partly.parameters)
      if (!parameter.name.startsWith("decoder.")) partly.weights.replace({ ...parameter, trained: false });
    const { byName } = await gradientsOf(partly, EXAMPLES.slice(0, 2));
    expect([...byName.keys()].every((name) => name.startsWith("decoder."))).toBe(true);
    const all = await gradientsOf(model, EXAMPLES.slice(0, 2));
    for (const name of all.byName.keys()) if (!byName.has(name)) all.byName.delete(name);
    expect(distance(all, { loss: 0, tokens: 0, byName })).toBeLessThan(1e-5);
    await partly.dispose();
  });

  it("reach adapters, whose gradient is that of the weights they stand for", async () => {
    const adapted = await createTinyT5(device, { ...SIZES, dropoutRate: 0 }, 1);
    const layers = [
      "encoder.block.0.layer.0.SelfAttention.q",
      "decoder.block.1.layer.1.EncDecAttention.v",
      "decoder.block.0.layer.1.EncDecAttention.k",
    ];
    const draw = new Random(3);
    const rank = 2;
    for (const layer of layers) {
      const [outputs, inputs] = adapted.weights.get(`${layer}.weight`).shape as [number, number];
      const a = await makeParameter(
        device,
        `${layer}.lora_A.weight`,
        [rank, inputs],
        draw.fillNormal(new Float32Array(rank * inputs), 0.1),
      );
      const b = await makeParameter(
        device,
        `${layer}.lora_B.weight`,
        [outputs, rank],
        draw.fillNormal(new Float32Array(outputs * rank), 0.1),
      );
      adapted.weights.addAdapter(layer, { a, b, scaling: 0.5, dropout: 0.1 });
    }
    const withAdapters = await gradientsOf(adapted, EXAMPLES);
    const generated = await adapted.generate(
      EXAMPLES.map(({ input }) => input),
      { maximumNewTokens: 3 },
    );
    // merged: W + scaling · B·A, whose gradient G gives that of A as scaling · Bᵀ·G
    const merged = await createTinyT5(device, { ...SIZES, dropoutRate: 0 }, 1);
    for (const [layer, { a, b, scaling }] of adapted.weights.adapted) {
      const weight = merged.weights.get(`${layer}.weight`);
      const [outputs, inputs] = weight.shape as [number, number];
      const values = weight.array.data as Float32Array;
      for (let i = 0; i < outputs; i++)
        for (let j = 0; j < inputs; j++)
          for (let r = 0; r < rank; r++)
            values[i * inputs + j]! +=
              scaling * (b.array.data[i * rank + r] as number) * (a.array.data[r * inputs + j] as number);
    }
    const whole = await gradientsOf(merged, EXAMPLES);
    expect(withAdapters.loss / whole.loss).toBeCloseTo(1, 5);
    expect(
      await merged.generate(
        EXAMPLES.map(({ input }) => input),
        { maximumNewTokens: 3 },
      ),
    ).toEqual(generated);
    for (const [layer, { a, b, scaling }] of adapted.weights.adapted) {
      const full = whole.byName.get(`${layer}.weight`)!;
      const [outputs, inputs] = [b.shape[0]!, a.shape[1]!];
      const expected = new Float32Array(rank * inputs);
      for (let r = 0; r < rank; r++)
        for (let j = 0; j < inputs; j++)
          for (let i = 0; i < outputs; i++)
            expected[r * inputs + j]! += scaling * (b.array.data[i * rank + r] as number) * full[i * inputs + j]!;
      const name = a.name;
      expect(
        distance(
          { loss: 0, tokens: 0, byName: new Map([[name, expected]]) },
          { loss: 0, tokens: 0, byName: new Map([[name, withAdapters.byName.get(name)!]]) },
        ),
      ).toBeLessThan(1e-4);
    }
    await adapted.dispose();
    await merged.dispose();
  });

  it("refuse a token that the model has not, naming the row", async () => {
    await expect(model.loss([{ id: "DE_DE/law/7", input: [5, 100], target: [3] }])).rejects.toThrow(
      /row DE_DE\/law\/7 has the token 100, and the model has tokens 0 to 99/,
    );
    await expect(model.loss([{ id: "DE_DE/law/7", input: [], target: [3] }])).rejects.toThrow(
      /DE_DE\/law\/7 has no tokens/,
    );
    await expect(model.generate([[3, -1]], { maximumNewTokens: 1 })).rejects.toThrow(/the token -1/);
  });
});

describe("T5's generation", () => {
  const prompts = EXAMPLES.map(({ input }) => input);

  it("takes the likeliest token after all earlier ones, as the loss knows them", async () => {
    const generated = await model.generate(prompts, { maximumNewTokens: 4, topLogProbabilities: 3 });
    for (const [row, { tokens, details }] of generated.entries()) {
      expect(tokens.length).toBe(4);
      // Without a cache: the loss of the reply is the sum of its tokens' log-probabilities.
      const { lossSum } = await model.loss([{ id: "reply", input: prompts[row]!, target: tokens }]);
      expect(-details.reduce((sum, { logProbability }) => sum + logProbability!, 0)).toBeCloseTo(lossSum, 3);
      for (const { token, top } of details) {
        expect(top![0]!.token).toBe(token);
        expect(top!.length).toBe(3);
        expect(top![0]!.logProbability).toBeGreaterThanOrEqual(top![1]!.logProbability);
      }
    }
  });

  it("does not depend on the batch", async () => {
    const together = await model.generate(prompts, { maximumNewTokens: 4 });
    for (const [row, prompt] of prompts.entries())
      expect((await model.generate([prompt], { maximumNewTokens: 4 }))[0]!.tokens).toEqual(together[row]!.tokens);
  });

  it("ends rows where it is told to, and tells each token", async () => {
    const told: [number, number][] = [];
    const free = await model.generate(prompts, { maximumNewTokens: 4 });
    const stopped = await model.generate(prompts, {
      maximumNewTokens: 4,
      stop: (row, tokens) => row % 2 === 0 || tokens.length === 3,
      onToken: (row, { token }) => void told.push([row, token]),
    });
    stopped.forEach(({ tokens, ended }, row) => {
      expect(ended).toBe("stopped");
      expect(tokens).toEqual(free[row]!.tokens.slice(0, row % 2 === 0 ? 1 : 3));
      expect(told.filter(([r]) => r === row).map(([, token]) => token)).toEqual(tokens);
    });
    expect(
      (await model.generate(prompts, { maximumNewTokens: 0 })).map(({ ended, tokens }) => [ended, tokens.length]),
    ).toEqual(prompts.map(() => ["length", 0]));
    const aborted = await model.generate(prompts, { maximumNewTokens: 4, signal: AbortSignal.abort() });
    expect(aborted.every(({ ended, tokens }) => ended === "stopped" && tokens.length === 0)).toBe(true);
    expect(await model.generate([], { maximumNewTokens: 4 })).toEqual([]);
  });

  it("ends a row at an end token, and leaves it out", async () => {
    const [first] = await model.generate([prompts[1]!], { maximumNewTokens: 3 });
    const ending = await createTinyT5(device, { ...SIZES, eosTokenIds: [first!.tokens[1]!] }, 1);
    const [ended] = await ending.generate([prompts[1]!], { maximumNewTokens: 3 });
    expect(ended).toMatchObject({ ended: "end", tokens: [first!.tokens[0]] });
    await ending.dispose();
  });

  it("gives the letters' log-probabilities from one prefill", async () => {
    const letters = [7, 11, 13, 17];
    const found = await model.letterLogProbabilities(prompts, letters);
    for (const [row, values] of found.entries()) {
      for (const [i, value] of values.entries()) {
        const { lossSum } = await model.loss([{ id: "letter", input: prompts[row]!, target: [letters[i]!] }]);
        expect(value).toBeCloseTo(-lossSum, 3);
      }
    }
  });
});

describe("T5's files", () => {
  it("come back as they were saved, tokenizer and unknown keys included", async () => {
    const tokenizer = join(folder, "tokenizer.json");
    writeFileSync(tokenizer, "{}");
    const config = { json: { n_positions: 512, initializer_factor: 1 }, floatKeys: new Set(["initializer_factor"]) };
    const made = await createTinyT5(device, SIZES, 9, {
      config: config as never,
      tokenizer: [tokenizer, join(folder, "absent.json")],
    });
    const place = join(folder, "saved");
    await made.save(place);
    expect(readdirSync(place).sort()).toEqual([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    expect(readFileSync(join(place, "config.json"), "utf8")).toContain('"initializer_factor": 1.0');
    const loaded = await loadT5(place, device);
    expect(loaded.config).toEqual(made.config);
    expect(loaded.tied).toBe(false);
    expect((await loaded.loss(EXAMPLES)).lossSum).toBe((await made.loss(EXAMPLES)).lossSum);
    expect(loaded.files.config!.json["n_positions"]).toBe(512);
    await loaded.save(place);
    expect(readdirSync(folder).filter((name) => name.includes("tmp") || name.includes("old"))).toEqual([]);
    await loaded.dispose();
    await made.dispose();
  });

  it("are refused where a weight is missing or misshapen, or the architecture is another", async () => {
    const place = join(folder, "saved");
    const config = JSON.parse(readFileSync(join(place, "config.json"), "utf8")) as Record<string, unknown>;
    const write = (change: Record<string, unknown>): void =>
      writeFileSync(join(place, "config.json"), JSON.stringify({ ...config, ...change }));
    write({ d_ff: 64 });
    await expect(loadT5(place, device)).rejects.toThrow(
      /encoder\.block\.0\.layer\.1\.DenseReluDense\.wi_0\.weight has the shape \[48, 32\]; config\.json asks for \[64, 32\]/,
    );
    write({ num_decoder_layers: 3 });
    await expect(loadT5(place, device)).rejects.toThrow(
      /no weight decoder\.block\.2\.layer\.0\.SelfAttention\.q\.weight \[24, 32\]/,
    );
    write({ model_type: "mamba" });
    await expect(loadT5(place, device)).rejects.toThrow(/the model_type "mamba" is not supported/);
    write({ feed_forward_proj: "gated-silu" });
    await expect(loadT5(place, device)).rejects.toThrow(/feed_forward_proj "gated-silu" is not supported/);
    write({ relative_attention_num_buckets: 32, relative_attention_max_distance: 16 });
    await expect(loadT5(place, device)).rejects.toThrow(/relative_attention_max_distance is 16, and half of/);
    write({ d_model: "wide", num_heads: 0 });
    await expect(loadT5(place, device)).rejects.toThrow(/d_model: .*; num_heads: /);
    write({});
    writeFileSync(join(place, "model.safetensors"), readFileSync(join(place, "model.safetensors")).subarray(0, 5000));
    await expect(loadT5(place, device)).rejects.toThrow(/model\.safetensors is no/);
    rmSync(join(place, "model.safetensors"));
    writeFileSync(join(place, "pytorch_model.bin"), "");
    await expect(loadT5(place, device)).rejects.toThrow(/neither model\.safetensors nor/);
    await expect(loadT5(join(folder, "nowhere"), device)).rejects.toThrow(/there is no folder/);
  });

  it("of a tied model leave the output layer out, and a copy of the embedding is found under its other names", async () => {
    const place = join(folder, "tied");
    const made = await createTinyT5(device, { ...SIZES, scaleDecoderOutputs: true }, 2);
    await made.save(place);
    const written = made.parameters.filter(({ name }) => name !== "lm_head.weight");
    writeSafetensors(
      join(place, "model.safetensors"),
      written.map(({ name, shape, array }) => ({
        name: name === "shared.weight" ? "encoder.embed_tokens.weight" : name,
        type: "F32" as const,
        shape,
        elements: () => array.data as Float32Array,
      })),
    );
    // A config.json that says that the output layer is another than the embedding misses it.
    await expect(loadT5(place, device)).rejects.toThrow(/no weight lm_head\.weight \[100, 32\]/);
    const config = JSON.parse(readFileSync(join(place, "config.json"), "utf8")) as Record<string, unknown>;
    writeFileSync(join(place, "config.json"), JSON.stringify({ ...config, tie_word_embeddings: true }));
    const tied = await loadT5(place, device);
    expect(tied.tied).toBe(true);
    expect(tied.parameters.some(({ name }) => name === "lm_head.weight")).toBe(false);
    const { byName } = await gradientsOf(tied, EXAMPLES.slice(0, 3));
    expect(byName.get("shared.weight")!.some((value) => value !== 0)).toBe(true);
    await tied.save(join(folder, "tied-again"));
    expect(JSON.parse(readFileSync(join(folder, "tied-again", "config.json"), "utf8"))).toMatchObject({
      tie_word_embeddings: true,
      scale_decoder_outputs: true,
    });
    await tied.dispose();
    await made.dispose();
  });
});
