import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bfloat16Bits, type Device, openDevice } from "../graph/index.js";
import { gemma2 } from "./architectures/gemma2.js";
import { STORED_TYPES, type StoredType } from "./float-formats.js";
import { createTinyDecoder, createTinyT5, type LanguageModel, loadModel } from "./index.js";
import { SafetensorsFile } from "./safetensors.js";
import { writeSafetensors } from "./write-safetensors.js";

/* What would make a model compute something else than its files say is refused by name, in each architecture. */

let device: Device;
const folder = mkdtempSync(join(tmpdir(), "refused-"));
beforeAll(async () => {
  device = await openDevice("cpu", { threads: 1 });
  const models: Record<string, LanguageModel> = {
    t5: await createTinyT5(device, { vocabSize: 40 }, 1),
    gemma2: await createTinyDecoder(device, gemma2, { vocabSize: 40 }, 1),
  };
  for (const [name, model] of Object.entries(models)) {
    await model.save(join(folder, name));
    await model.dispose();
  }
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});

type Tensors = Map<string, { type: StoredType; shape: readonly number[]; elements: Float32Array }>;

/** A copy of a saved model, its config.json and its tensors changed. */
async function changed(
  name: string,
  config: Record<string, unknown>,
  change: (tensors: Tensors) => void = () => {},
): Promise<string> {
  const place = mkdtempSync(join(folder, `${name}-`));
  cpSync(join(folder, name), place, { recursive: true });
  const json = JSON.parse(readFileSync(join(place, "config.json"), "utf8"));
  writeFileSync(join(place, "config.json"), JSON.stringify({ ...json, ...config }));
  const file = await SafetensorsFile.open(join(folder, name, "model.safetensors"));
  const tensors: Tensors = new Map();
  for (const [key, { shape }] of file.tensors)
    tensors.set(key, { type: "F32", shape, elements: await file.readFloat32(key) });
  await file.close();
  change(tensors);
  writeSafetensors(
    join(place, "model.safetensors"),
    [...tensors].map(([key, { type, shape, elements }]) => ({
      name: key,
      type,
      shape,
      elements: () =>
        type === "F32"
          ? elements
          : type === "BF16"
            ? bfloat16Bits(elements)
            : new Uint8Array(elements.length * STORED_TYPES[type]),
    })),
  );
  return place;
}

const LINEAR = {
  t5: "decoder.block.0.layer.2.DenseReluDense.wo.weight",
  gemma2: "model.layers.1.mlp.down_proj.weight",
} as const;
const TABLE = { t5: "shared.weight", gemma2: "model.embed_tokens.weight" } as const;

describe.each(["t5", "gemma2"] as const)("%s", (name) => {
  const refused = async (
    config: Record<string, unknown>,
    message: RegExp,
    change?: (tensors: Tensors) => void,
    options: object = {},
  ): Promise<void> => {
    const place = await changed(name, config, change);
    await expect(loadModel(place, device, options)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  };

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "a weight with %d, by its place",
    async (value) => {
      const spoil = (key: string, type: StoredType) => (tensors: Tensors) => {
        const tensor = tensors.get(key)!;
        for (const each of tensors.values()) each.type = type;
        tensor.elements[tensor.shape[1]! + 2] = value;
      };
      for (const key of [LINEAR[name], TABLE[name]]) {
        const message = new RegExp(`the weight ${key.replaceAll(".", "\\.")} is not finite: its element \\[1, 2\\]`);
        await refused({}, message, spoil(key, "F32"));
        await refused({}, message, spoil(key, "BF16"));
        await refused({}, message, spoil(key, "BF16"), { frozen: true, compact: true });
      }
    },
  );

  it("a weight of whole numbers, of another shape, missing, or too many", async () => {
    await refused(
      {},
      /(wo|down_proj)\.weight is I8, not F32/,
      (tensors) => void (tensors.get(LINEAR[name])!.type = "I8"),
    );
    await refused({}, /has the shape \[2, 2\]/, (tensors) =>
      tensors.set(LINEAR[name], { type: "F32", shape: [2, 2], elements: new Float32Array(4) }),
    );
    await refused({}, /has no weight/, (tensors) => tensors.delete(LINEAR[name]));
    const bias = LINEAR[name].replace(/weight$/, "bias");
    await refused(
      {},
      /has (weights|a weight) that (config\.json's model has not|Gemma 2 does not have): .*\.bias$/,
      (tensors) => tensors.set(bias, { type: "F32", shape: [1], elements: new Float32Array(1) }),
    );
  });

  it.each<[string, unknown]>([
    ["quantization_config", { quant_method: "bitsandbytes", load_in_4bit: true }],
    ["auto_map", { AutoModelForCausalLM: "modeling_own.Own" }],
    ["attention_multiplier", 0.5],
    ["pruned_heads", { 0: [1] }],
    ["tie_encoder_decoder", true],
    ["add_cross_attention", true],
    ["scale_attn_by_inverse_layer_idx", true],
    ["partial_rotary_factor", 0.5],
  ])("%s in config.json", async (key, value) => {
    await refused({ [key]: value }, new RegExp(key));
  });

  it("what is known to change nothing is no hindrance", async () => {
    const place = await changed(name, {
      pruned_heads: {},
      quantization_config: null,
      tie_encoder_decoder: false,
      use_cache: false,
      transformers_version: "9.9",
      id2label: { 0: "a" },
      n_positions: 512,
      output_past: true,
      _name_or_path: "x",
      task_specific_params: { a: 1 },
    });
    await (await loadModel(place, device)).dispose();
  });
});

describe("T5", () => {
  it.each<[object, RegExp]>([
    [{ feed_forward_proj: "gated-silu" }, /feed_forward_proj/],
    [{ dense_act_fn: "silu" }, /dense_act_fn silu are not those of feed_forward_proj/],
    [{ is_gated_act: false }, /is_gated_act false/],
    [{ is_encoder_decoder: false }, /is_encoder_decoder/],
  ])("%j", async (config, message) => {
    await expect(loadModel(await changed("t5", config as never), device)).rejects.toThrow(message);
  });

  it("copies of the embedding are one; others are refused", async () => {
    const copy = (value: number) => (tensors: Tensors) => {
      const { shape, elements } = tensors.get("shared.weight")!;
      const copied = elements.slice();
      copied[5]! += value;
      tensors.set("decoder.embed_tokens.weight", { type: "F32", shape, elements: copied });
      // The first T5s hold this one, which no model uses.
      tensors.set("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight", {
        type: "F32",
        shape: [1],
        elements: new Float32Array(1),
      });
    };
    await (await loadModel(await changed("t5", {}, copy(0)), device)).dispose();
    await expect(loadModel(await changed("t5", {}, copy(1)), device)).rejects.toThrow(
      /decoder\.embed_tokens\.weight is not shared\.weight/,
    );
  });
});

describe("Gemma 2", () => {
  it("an output layer that is not the embedding counts, whatever config.json says, as in transformers 5", async () => {
    const output = (value: number) => (tensors: Tensors) => {
      const { shape, elements } = tensors.get("model.embed_tokens.weight")!;
      const copied = elements.slice();
      copied[5]! += value;
      tensors.set("lm_head.weight", { type: "F32", shape, elements: copied });
      tensors.set("model.layers.0.self_attn.rotary_emb.inv_freq", {
        type: "F32",
        shape: [1],
        elements: new Float32Array(1),
      });
    };
    const tied = await loadModel(await changed("gemma2", {}, output(0)), device);
    const untied = await loadModel(await changed("gemma2", {}, output(1)), device);
    expect([tied, untied].map(({ weights }) => weights.has("lm_head.weight"))).toEqual([false, true]);
    for (const model of [tied, untied]) await model.dispose();
  });
});
