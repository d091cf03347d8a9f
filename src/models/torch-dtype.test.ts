import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, openDevice, roundToFloat16 } from "../graph/index.js";
import { gemma2 } from "./architectures/gemma2.js";
import { type CheckpointWeights, CheckpointWeights as Opened } from "./checkpoint-weights.js";
import { createTinyDecoder } from "./decoder/create.js";
import type { DecoderModel } from "./decoder/decoder.js";
import { openCheckpoint } from "./load.js";
import { addLora } from "./lora/index.js";
import { modelFromCheckpoint, openModel } from "./open-model.js";
import { Random } from "./random.js";
import { type TensorToWrite, writeSafetensors, writeShardedSafetensors } from "./write-safetensors.js";

/* A float32 checkpoint in shards, read as float16: everything that is made of it is what its float16 values give. */

const root = mkdtempSync(join(tmpdir(), "torch-dtype-"));
const [stored, rounded] = [join(root, "stored"), join(root, "rounded")];
const PROMPTS = [
  [2, 5, 9, 11, 4],
  [2, 8],
];
let device: Device;

async function tensorsOf(weights: CheckpointWeights, change: (name: string, values: Float32Array) => void) {
  const tensors: TensorToWrite[] = [];
  for (const name of weights.names) {
    const values = await weights.readFloat32(name);
    change(name, values);
    tensors.push({ name, shape: weights.entry(name).shape, type: "F32", elements: () => values });
  }
  return tensors;
}

beforeAll(async () => {
  device = await openDevice("cpu", { threads: 1 });
  const model = await createTinyDecoder(device, gemma2, { vocabSize: 40, eosTokenIds: [] }, 3);
  for (const folder of [stored, rounded]) await model.save(folder);
  await model.dispose();
  const weights = await Opened.open(stored);
  // Norms of a new model are 0: no type rounds them.
  const random = new Random(5);
  const tensors = await tensorsOf(weights, (_, values) => {
    for (let i = 0; i < values.length; i++) values[i]! += 0.01 * random.normal();
  });
  await weights.close();
  rmSync(join(stored, "model.safetensors"));
  writeShardedSafetensors(join(stored, "model.safetensors"), tensors, 20_000);
  const again = await Opened.open(stored);
  writeSafetensors(join(rounded, "model.safetensors"), await tensorsOf(again, (_, values) => roundToFloat16(values)));
  await again.close();
});
afterAll(async () => {
  await device.close();
  rmSync(root, { recursive: true, force: true });
});

const held = async (folder: string, torchDtype: "float32" | "float16", kind: "none" | "fp4"): Promise<DecoderModel> => {
  const checkpoint = await openCheckpoint(folder, { torchDtype });
  const model = await modelFromCheckpoint(checkpoint, device, { frozen: true, quantization: { kind } });
  await checkpoint.close();
  return model as DecoderModel;
};

describe("weights read as float16", () => {
  it("are stored in several shards here", () => {
    const { weight_map: map } = JSON.parse(readFileSync(join(stored, "model.safetensors.index.json"), "utf8"));
    expect(new Set(Object.values(map)).size).toBeGreaterThan(2);
  });

  it.each(["fp4", "none"] as const)("give what a checkpoint of those values gives (%s)", async (kind) => {
    const [ours, theirs, unrounded] = [
      await held(stored, "float16", kind),
      await held(rounded, "float32", kind),
      await held(stored, "float32", kind),
    ];
    const answers = (model: DecoderModel) => model.letterLogProbabilities(PROMPTS, [5, 6, 7, 8]);
    expect(await answers(ours)).toEqual(await answers(theirs));
    expect(await answers(ours)).not.toEqual(await answers(unrounded));
    const norm = ours.parameters.find(({ name }) => name.endsWith("layernorm.weight"))!;
    const same = theirs.parameters.find(({ name }) => name === norm.name)!;
    expect(norm.array.data).toEqual(same.array.data);
    // The table takes 2 bytes a value instead of 4.
    expect(theirs.weights.bytes - ours.weights.bytes).toBe(2 * (ours.stored.bytes - theirs.stored.bytes));
    expect(ours.stored.bytes).toBeGreaterThan(theirs.stored.bytes);
    for (const model of [ours, theirs, unrounded]) await model.dispose();
  });

  it("an adapter trained on such is opened on such again", async () => {
    const model = await held(stored, "float16", "fp4");
    const adapter = join(root, "adapter");
    await addLora(model.weights, { rank: 2, alpha: 4, dropout: 0, modules: ["q_proj"], base: stored }, 1);
    await model.save(adapter);
    const said: string[] = [];
    const progress = { begin() {}, update() {}, end() {}, say: (line: string) => void said.push(line) };
    const opened = await openModel(adapter, device, { progress });
    expect(said.join()).toContain("the base is held as fp4 weights of float16 ones");
    expect(await opened.model.letterLogProbabilities(PROMPTS, [5, 6, 7, 8])).toEqual(
      await model.letterLogProbabilities(PROMPTS, [5, 6, 7, 8]),
    );
    await opened.model.dispose();
    // Before there was such a key, weights were read as they are stored.
    const file = join(adapter, "training_environment.json");
    const { torchDtype, ...older } = JSON.parse(readFileSync(file, "utf8"));
    expect(torchDtype).toBe("float16");
    writeFileSync(file, JSON.stringify(older));
    const before = await openModel(adapter, device);
    expect((before.model as DecoderModel).weights.torchDtype).toBe("float32");
    await before.model.dispose();
    await model.dispose();
  });

  it("are refused where float16 has no such number", async () => {
    const folder = join(root, "large");
    const model = await createTinyDecoder(device, gemma2, { vocabSize: 40 }, 3);
    await model.save(folder);
    const weights = await Opened.open(folder);
    const tensors = (wanted: RegExp) =>
      tensorsOf(weights, (name, values) => {
        if (wanted.test(name)) values[values.length - 1] = -70_000;
      });
    for (const [wanted, place] of [
      [/embed_tokens/, String.raw`\[39, \d+\]`],
      [/q_proj/, String.raw`\[\d+, \d+\]`],
    ] as const) {
      writeSafetensors(join(folder, "model.safetensors"), await tensors(new RegExp(wanted)));
      await expect(held(folder, "float16", "fp4")).rejects.toMatchObject({
        message: expect.stringMatching(new RegExp(`${wanted.source}.* does not fit float16: its element ${place}`)),
        hint: "Set model.torchDtype=float32.",
      });
      await (await held(folder, "float32", "fp4")).dispose();
    }
    await weights.close();
    await model.dispose();
  });
});
