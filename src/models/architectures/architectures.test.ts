import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readConfigFile } from "../config-file.js";
import { type DecoderConfig, parseDecoderConfig } from "../decoder/config.js";
import { decoderConfigJson } from "../decoder/config-json.js";
import { tinyDecoderConfig } from "../decoder/create.js";
import type { DecoderArchitecture } from "../decoder/decoder-only.js";
import { decoderWeightShapes } from "../decoder/weight-shapes.js";
import { gemma2 } from "./gemma2.js";
import { gemma3 } from "./gemma3.js";
import { ARCHITECTURES, architectureOf } from "./index.js";
import { llama } from "./llama.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";

const DECODERS: readonly DecoderArchitecture[] = [gemma2, gemma3, qwen2, qwen3, llama];

/** Keys that every config.json has. */
const SIZES = {
  vocab_size: 1000,
  hidden_size: 96,
  intermediate_size: 160,
  num_hidden_layers: 12,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  max_position_embeddings: 4096,
};
const parse = (architecture: DecoderArchitecture, json: Record<string, unknown>): DecoderConfig =>
  parseDecoderConfig({ path: "config.json", json: { ...SIZES, ...json } }, architecture);

const folder = mkdtempSync(join(tmpdir(), "architectures-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the registry", () => {
  it("has each model_type once, and tells which there are", async () => {
    const types = ARCHITECTURES.flatMap(({ modelTypes }) => modelTypes);
    expect(new Set(types).size).toBe(types.length);
    for (const type of types) expect(architectureOf({ path: "", modelType: type }).modelTypes).toContain(type);
    writeFileSync(join(folder, "config.json"), JSON.stringify({ model_type: "mistral" }));
    const config = await readConfigFile(folder);
    expect(() => architectureOf(config)).toThrow(/config\.json: the model_type "mistral" is not supported/);
    try {
      architectureOf(config);
    } catch (error) {
      for (const type of types) expect((error as { hint: string }).hint).toContain(type);
    }
  });
});

describe.each(DECODERS.map((one) => [one.modelType, one] as const))("%s's configuration", (_type, architecture) => {
  it("is read back as it is written", () => {
    const config = tinyDecoderConfig(architecture, { vocabSize: 60 });
    const json = JSON.parse(JSON.stringify(decoderConfigJson(config, architecture))) as Record<string, unknown>;
    expect(parseDecoderConfig({ path: "config.json", json }, architecture)).toEqual(config);
  });

  it("is bounded in every size", () => {
    const sizes = [
      ...Object.keys(SIZES),
      "head_dim",
      ...("sliding_window" in architecture.config ? ["sliding_window"] : []),
    ];
    for (const key of sizes)
      for (const value of [1e15, -1, 0, 1.5, "12"])
        expect(() => parse(architecture, { [key]: value }), `${key}: ${value}`).toThrow(new RegExp(`${key}: `));
    // It would take a while to count to a billion.
    expect(() => parse(architecture, { num_hidden_layers: 1e9 })).toThrow(/num_hidden_layers/);
  });

  it("refuses by name what changes the arithmetic and is not known", () => {
    for (const [key, value] of Object.entries({
      residual_multiplier: 0.2,
      logits_scaling: 8,
      partial_rotary_factor: 0.5,
      attention_dropout: 0.1,
      num_experts: 8,
      use_qk_norm: true,
      clip_qkv: 4,
      quantization_config: { load_in_4bit: true },
      no_rope_layers: [1, 0],
      use_bidirectional_attention: true,
    }))
      expect(() => parse(architecture, { [key]: value }), key).toThrow(new RegExp(`${key} = .* is not supported`));
    for (const [key, value] of Object.entries({
      residual_multiplier: 1,
      partial_rotary_factor: 1,
      attention_dropout: 0,
      pretraining_tp: 1,
      use_qk_norm: false,
      is_causal: true,
      per_layer_config: null,
      quantization_config: null,
      unsloth_version: "2025.1",
      _attn_implementation: "sdpa",
      output_attentions: true,
    }))
      expect(() => parse(architecture, { [key]: value }), key).not.toThrow();
    expect(() =>
      parse(architecture, { [architecture.mlp === "silu-gated" ? "hidden_act" : "hidden_activation"]: "relu" }),
    ).toThrow(/"relu" is not supported/);
    expect(() => parse(architecture, { num_key_value_heads: 4 })).toThrow(/6 heads cannot share 4/);
  });

  it("knows both dialects of rotary positions", () => {
    const scaling = { rope_type: "linear", factor: 4 };
    const type = architecture.rope.slidingTheta ? "rope_type" : "type";
    const older = parse(architecture, { rope_theta: 5000, rope_scaling: { [type]: "linear", factor: 4 } });
    expect(older.ropeParameters.full_attention).toEqual({ ropeTheta: 5000, ropeType: "linear", factor: 4 });
    const rope = { rope_theta: 5000, ...scaling };
    const newer = parse(architecture, {
      rope_parameters: architecture.rope.slidingTheta ? { full_attention: rope, sliding_attention: null } : rope,
    });
    expect(newer).toEqual(older);
    for (const type of ["yarn", "dynamic", "longrope"])
      expect(() => parse(architecture, { rope_scaling: { rope_type: type, factor: 2 } })).toThrow(
        new RegExp(`rope_type "${type}" is not supported|rope_scaling`),
      );
    expect(() => parse(architecture, { rope_scaling: { rope_type: "llama3", factor: 2 } })).toThrow(
      /no low_freq_factor/,
    );
    expect(() => parse(architecture, { rope_scaling: { ...scaling, mrope_section: [1, 2] } })).toThrow(/mrope_section/);
  });
});

describe("what is told from config.json", () => {
  it("which layers are windowed", () => {
    const sliding = ({ layerTypes }: DecoderConfig): string =>
      layerTypes.map((type) => (type === "sliding_attention" ? "s" : "f")).join("");
    expect(sliding(parse(gemma2, {}))).toBe("sfsfsfsfsfsf");
    expect(sliding(parse(gemma3, {}))).toBe("sssssfsssssf");
    expect(sliding(parse(gemma3, { sliding_window_pattern: 3 }))).toBe("ssfssfssfssf");
    expect(sliding(parse(qwen2, {}))).toBe("ffffffffffff");
    expect(parse(qwen2, { sliding_window: 128 }).slidingWindow).toBeNull();
    const windowed = { use_sliding_window: true, sliding_window: 128, max_window_layers: 9 };
    for (const architecture of [qwen2, qwen3]) {
      expect(sliding(parse(architecture, windowed))).toBe("fffffffffsss");
      expect(parse(architecture, windowed).slidingWindow).toBe(128);
    }
    expect(() => parse(llama, { sliding_window: 128 })).toThrow(/sliding_window = 128 is not supported/);
    const types = Array.from({ length: 12 }, (_, i) => (i < 2 ? "full_attention" : "sliding_attention"));
    expect(sliding(parse(gemma3, { layer_types: types }))).toBe("ffssssssssss");
    expect(() => parse(gemma3, { layer_types: types.slice(1) })).toThrow(/layer_types has 11 entries for 12 layers/);
  });

  it("which layers have biases", () => {
    expect(parse(qwen2, { attention_bias: false }).biases).toEqual({ queryKeyValue: true, output: false, mlp: false });
    expect(() => parse(qwen2, { attention_bias: true })).toThrow(/attention_bias = true/);
    expect(parse(llama, { attention_bias: true, mlp_bias: true }).biases).toEqual({
      queryKeyValue: true,
      output: true,
      mlp: true,
    });
    expect(() => parse(qwen3, { mlp_bias: true })).toThrow(/mlp_bias = true/);
  });

  it("heads' sizes: given, or the hidden size's share", () => {
    expect(parse(llama, {}).headDim).toBe(16);
    expect(parse(qwen3, {}).headDim).toBe(128);
    expect(parse(qwen3, {}).queryPreAttnScalar).toBe(128);
    expect(parse(gemma3, { query_pre_attn_scalar: 168 }).queryPreAttnScalar).toBe(168);
    expect(() => parse(llama, { hidden_size: 100 })).toThrow(/does not give 6 heads/);
  });

  it("two rotary bases of Gemma 3, in both dialects", () => {
    expect(parse(gemma3, {}).ropeParameters).toEqual({
      full_attention: { ropeTheta: 1_000_000, ropeType: "default" },
      sliding_attention: { ropeTheta: 10_000, ropeType: "default" },
    });
    const older = parse(gemma3, {
      rope_theta: 7000,
      rope_local_base_freq: 500,
      rope_scaling: { rope_type: "linear", factor: 8 },
    });
    expect(older.ropeParameters).toEqual({
      full_attention: { ropeTheta: 7000, ropeType: "linear", factor: 8 },
      sliding_attention: { ropeTheta: 500, ropeType: "default" },
    });
    expect(
      parse(gemma3, {
        rope_parameters: {
          full_attention: { rope_theta: 7000, rope_type: "linear", factor: 8 },
          sliding_attention: { rope_theta: 500, rope_type: "default" },
        },
      }),
    ).toEqual(older);
    expect(() => parse(llama, { rope_local_base_freq: 500 })).toThrow(/rope_local_base_freq = 500/);
  });

  it("the text part of a Gemma 3 that sees: as sparse as the published ones are", () => {
    const text = { model_type: "gemma3_text", hidden_size: 2560, intermediate_size: 10_240, num_hidden_layers: 34 };
    const read = (json: Record<string, unknown>): DecoderConfig =>
      parseDecoderConfig({ path: "config.json", json: { model_type: "gemma3", ...json } }, gemma3);
    const config = read({
      eos_token_id: [1, 106],
      vision_config: { hidden_size: 1152 },
      text_config: { ...text, rope_scaling: { factor: 8, rope_type: "linear" }, sliding_window: 1024 },
    });
    expect(config).toMatchObject({
      vocabSize: 262_208,
      numAttentionHeads: 8,
      numKeyValueHeads: 4,
      headDim: 256,
      slidingWindow: 1024,
      eosTokenIds: [1, 106],
      prefix: "model.language_model.",
    });
    expect([...decoderWeightShapes(config).keys()][0]).toBe("model.language_model.embed_tokens.weight");
    expect(() => read({})).toThrow(/no text_config/);
    expect(() => read({ text_config: { ...text, model_type: "llama" } })).toThrow(/text_config\.model_type is "llama"/);
    expect(() => read({ text_config: text, quantization_config: { bits: 4 } })).toThrow(/quantization_config/);
  });
});
