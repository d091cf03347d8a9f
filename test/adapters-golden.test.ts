import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, openDevice } from "../src/graph/index.js";
import {
  type Example,
  type LanguageModel,
  loadAdapter,
  loadDecoder,
  loadT5,
  mergeAdapterFolder,
  readAdapterSettings,
  readLoss,
  SafetensorsFile,
  writeSafetensors,
} from "../src/models/index.js";
import { matchesWhole } from "../src/models/lora/python-pattern.js";

/*
 * Adapters of every kind that is read, as the real PEFT saved and ran them (reference/adapters.py), and those that are
 * refused.
 */

const goldenFolder = fileURLToPath(new URL("../reference/golden/", import.meta.url));
const golden = (...names: string[]): string => join(goldenFolder, ...names);
const json = <T>(path: string): T => JSON.parse(readFileSync(path, "utf8")) as T;

interface Golden {
  readonly cases: Readonly<
    Record<string, { base: "gemma2" | "t5"; layers: Record<string, number>; loss: number; norm: number }>
  >;
  readonly names: readonly string[];
  readonly patterns: readonly (readonly [pattern: string, found: readonly boolean[]])[];
}
const { cases, names, patterns } = json<Golden>(golden("adapters", "golden.json"));
const BASES = { gemma2: golden("gemma2", "base"), t5: golden("t5", "untied") };
const examples = (base: keyof typeof BASES): Example[] =>
  json<{ examples: Omit<Example, "id">[] }>(
    base === "t5" ? join(BASES.t5, "golden.json") : golden("gemma2", "golden.json"),
  )
    .examples.slice(0, 3)
    .map((example, id) => ({ ...example, id: String(id) }));

let device: Device;
const folder = mkdtempSync(join(tmpdir(), "adapters-"));
beforeAll(async () => {
  device = await openDevice("cpu", { threads: 1 });
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});
const load = (base: keyof typeof BASES, at: string = BASES[base]): Promise<LanguageModel> =>
  base === "t5" ? loadT5(at, device) : loadDecoder(at, device, { frozen: false });

describe("adapters of the real PEFT", () => {
  it("are all there", () => {
    const folders = readdirSync(golden("adapters"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(cases).sort());
  });

  it.each(Object.entries(cases))(
    "%s: the same layers, scalings, loss and gradients, and merged the same loss",
    async (name, { base, ...theirs }) => {
      const model = await load(base);
      const rows = examples(base);
      const tokens = rows.reduce((sum, { target }) => sum + target.length, 0);
      // A compiled pass before the adapter must not matter.
      await model.loss(rows);
      await loadAdapter(model.weights, golden("adapters", name));
      const adapted = [...model.weights.adapted].map(([layer, { scaling }]) => [layer, scaling.toPrecision(12)]);
      expect(Object.fromEntries(adapted)).toEqual(
        Object.fromEntries(Object.entries(theirs.layers).map(([layer, scaling]) => [layer, scaling.toPrecision(12)])),
      );
      let squares = 0;
      const { lossSum } = await readLoss(
        model.device,
        await model.lossAndGradients(rows, {
          scale: 1 / tokens,
          receive: (_parameter, gradient) => {
            for (const value of gradient.data as Float32Array) squares += value ** 2;
          },
        }),
      );
      expect(lossSum / tokens / theirs.loss).toBeCloseTo(1, 5);
      expect(Math.sqrt(squares) / theirs.norm).toBeCloseTo(1, 4);
      await model.dispose();
      const out = join(folder, `merged-${name}`);
      await mergeAdapterFolder(golden("adapters", name), out, { base: BASES[base] });
      const merged = await load(base, out);
      expect((await merged.loss(rows)).lossSum / tokens / theirs.loss).toBeCloseTo(1, 5);
      await merged.dispose();
    },
  );

  it("are written as they were read", async () => {
    for (const [name, { base }] of Object.entries(cases)) {
      const model = await load(base);
      const before = await loadAdapter(model.weights, golden("adapters", name));
      await model.save(join(folder, "again", name));
      const after = await readAdapterSettings(join(folder, "again", name));
      const said = (settings: object): unknown =>
        Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
      expect(said(after)).toEqual(said(before));
      await model.dispose();
    }
  });
});

describe("Python's regular expressions", () => {
  it.each(patterns)("%j matches the same names", (pattern, found) => {
    expect(matchesWhole(pattern, names)).toEqual(found);
  });

  it.each([
    ["(?x) q # all", /cannot be read: the flags \(\?x\)/],
    ["(?>q)_proj", /cannot be read: \(\?>q/],
    ["q_proj\\Q", /cannot be read: \\Q/],
    ["(q_proj", /cannot be read/],
    ["q(?i)_proj", /cannot be read: \(\?i\)/],
    ["(a+)+z", /takes too long to match/],
  ])("%j is refused", (pattern, message) => {
    expect(() => matchesWhole(pattern, ["q_proj", `${"a".repeat(60)}b`])).toThrow(message);
  });
});

describe("what would change the arithmetic is refused by name", () => {
  const adapter = golden("adapters", "rank-stabilized");
  const changed = (change: Record<string, unknown>): string => {
    const place = mkdtempSync(join(folder, "changed-"));
    cpSync(adapter, place, { recursive: true });
    const config = json<Record<string, unknown>>(join(adapter, "adapter_config.json"));
    writeFileSync(join(place, "adapter_config.json"), JSON.stringify({ ...config, ...change }));
    return place;
  };

  it.each<[Record<string, unknown>, RegExp, RegExp?]>([
    [{ init_lora_weights: "pissa" }, /init_lora_weights: "pissa"/, /path_initial_model_for_weight_conversion/],
    [{ init_lora_weights: "pissa_niter_4" }, /init_lora_weights/, /path_initial_model_for_weight_conversion/],
    [{ init_lora_weights: "olora" }, /init_lora_weights/, /path_initial_model_for_weight_conversion/],
    [{ init_lora_weights: "corda" }, /init_lora_weights/, /path_initial_model_for_weight_conversion/],
    [{ init_lora_weights: "lora_ga" }, /init_lora_weights/],
    [{ init_lora_weights: "mica" }, /init_lora_weights/],
    [{ init_lora_weights: "loftq" }, /init_lora_weights/],
    [{ init_lora_weights: "eva" }, /init_lora_weights/, /write true/],
    [{ alora_invocation_tokens: [1, 2] }, /alora_invocation_tokens/],
    [{ use_qalora: true }, /use_qalora/],
    [{ target_parameters: ["experts.down_proj"] }, /target_parameters/],
    [{ trainable_token_indices: [3] }, /trainable_token_indices/],
    [{ layer_replication: [[0, 2]] }, /layer_replication/],
    [{ modules_to_save: ["lm_head"] }, /modules_to_save/, /merge_and_unload/],
    [{ lora_bias: true }, /lora_bias/],
    [{ use_dora: true }, /use_dora/],
    [{ bias: "all" }, /bias: "all"/],
    [{ bias: "lora_only" }, /bias: "lora_only"/],
    [{ fan_in_fan_out: true }, /fan_in_fan_out/],
    [{ megatron_config: { a: 1 } }, /megatron_config/],
    [{ arrow_config: { top_k: 3 } }, /arrow_config/],
    [{ use_bdlora: { nblocks: 2 } }, /use_bdlora/],
    [{ kasa_config: { beta: 1 } }, /kasa_config/],
    [{ velora_config: { scale: 2 } }, /velora_config/],
    [{ monteclora_config: { num_samples: 2 } }, /monteclora_config/],
    [{ a_key_of_tomorrow: 0.5 }, /a_key_of_tomorrow: 0\.5 is not supported, and may change/],
    [{ a_key_of_tomorrow: 0 }, /a_key_of_tomorrow/],
    [{ peft_type: "LOHA" }, /peft_type: only LORA/],
    [{ task_type: "SEQ_CLS" }, /task_type/],
    [{ r: 0 }, /: r: /],
    [{ rank_pattern: { q_proj: 1.5 } }, /rank_pattern\.q_proj/],
    [{ alpha_pattern: { q_proj: "4" } }, /alpha_pattern\.q_proj/],
    [{ layers_to_transform: [-1] }, /layers_to_transform/],
    [{ target_modules: ".*q_proj", layers_to_transform: [0] }, /layers_to_transform does not go with a text/],
    [{ layers_pattern: "layers" }, /layers_pattern is of no use/],
    [{ target_modules: [] }, /target_modules: names no layer/],
    [{ target_modules: "(" }, /the regular expression "\(" cannot be read/],
    [
      { target_modules: ["q_proj"] },
      /down_proj\.lora_A\.weight, and its adapter_config\.json does not name that layer/,
    ],
    [{ layers_to_transform: [0, 1] }, /layers\.2\..*does not name that layer/],
    [
      { target_modules: ["q_proj", "down_proj", "k_proj"] },
      /it has no base_model\.model\.model\.layers\.0\.self_attn\.k_proj\.lora_A/,
    ],
    [{ r: 2 }, /has the shape \[3, \d+\], and the model's layer asks for \[2, \d+\]/],
  ])("%j", async (change, message, hint) => {
    const place = changed(change);
    const model = await load("gemma2");
    const error = await loadAdapter(model.weights, place).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "UserError", message: expect.stringMatching(message) });
    if (hint) expect(error).toMatchObject({ hint: expect.stringMatching(hint) });
    expect(model.weights.adapted.size).toBe(0);
    await expect(mergeAdapterFolder(place, join(folder, "never"), { base: BASES.gemma2 })).rejects.toThrow(message);
    await model.dispose();
  });

  it("null, false, empty and harmless keys are not", async () => {
    const place = changed({
      init_lora_weights: false,
      a: null,
      b: false,
      c: [],
      d: {},
      e: "",
      peft_version: "0.99",
      inference_mode: false,
      auto_mapping: { unsloth_fixed: true },
      layers_to_transform: [],
      task_type: null,
    });
    const model = await load("gemma2");
    await loadAdapter(model.weights, place);
    expect(Object.fromEntries([...model.weights.adapted].map(([layer]) => [layer, 1]))).toEqual(
      Object.fromEntries(Object.keys(cases["rank-stabilized"]!.layers).map((layer) => [layer, 1])),
    );
    await model.dispose();
  });

  it.each([
    ["base_model.model.lm_head.lora_embedding_A", /lora_embedding_A, which is no matrix of a linear layer's adapter/],
    ["base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector", /lora_magnitude_vector/],
    [
      "base_model.model.lm_head.lora_A.weight",
      /lm_head\.lora_A\.weight: adapters of embeddings and output layers are not supported/,
    ],
    ["base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight", /the model has no layer for .*layers\.7/],
  ])("the tensor %s", async (name, message) => {
    const place = changed({});
    const file = await SafetensorsFile.open(join(adapter, "adapter_model.safetensors"));
    const tensors = await Promise.all(
      [...file.tensors.values()].map(async ({ name, type, shape }) => {
        const bytes = await file.readBytes(name);
        return { name, type, shape, elements: () => bytes };
      }),
    );
    await file.close();
    const one = { name, type: "F32" as const, shape: [1], elements: () => new Float32Array(1) };
    writeSafetensors(join(place, "adapter_model.safetensors"), [...tensors, one]);
    const model = await load("gemma2");
    await expect(loadAdapter(model.weights, place)).rejects.toThrow(message);
    await model.dispose();
  });
});
