import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ARCHITECTURES } from "../architectures/index.js";
import { parseDecoderConfig } from "./config.js";
import { isDecoderOnly } from "./decoder-only.js";

interface Rope {
  readonly rope_type: string;
  readonly rope_theta: number;
  readonly factor?: number;
  readonly original_max_position_embeddings?: number;
}
interface Case {
  readonly modelType: string;
  readonly keys: Readonly<Record<string, unknown>>;
  readonly rope: Rope & { readonly full_attention?: Rope; readonly sliding_attention?: Rope };
  readonly layerTypes: readonly string[] | null;
  readonly slidingWindow: number | null;
}
/** As the real transformers reads them (reference/configurations.py). */
const golden = JSON.parse(
  readFileSync(new URL("../../../reference/golden/configurations.json", import.meta.url), "utf8"),
) as { sizes: Record<string, unknown>; cases: Record<string, Case> };

const descriptions = ARCHITECTURES.filter(isDecoderOnly);
const parsed = (modelType: string, keys: Readonly<Record<string, unknown>>) => {
  const description = descriptions.find((one) => one.modelType === modelType)!;
  return parseDecoderConfig(
    { path: "config.json", json: { model_type: modelType, ...golden.sizes, ...keys } },
    description,
  );
};

describe("config.json, as transformers reads it", () => {
  it.each(Object.entries(golden.cases))("%s", (_, { modelType, keys, rope, layerTypes, slidingWindow }) => {
    const ours = parsed(modelType, keys);
    for (const type of ["full_attention", "sliding_attention"] as const) {
      const theirs = rope[type] ?? rope;
      const { ropeTheta, ropeType, ...more } = ours.ropeParameters[type];
      expect([ropeTheta, ropeType]).toEqual([theirs.rope_theta, theirs.rope_type]);
      if (ropeType === "default") continue;
      expect(more).toMatchObject({ factor: theirs.factor });
      if (ropeType === "llama3")
        expect(more).toMatchObject({ originalMaxPositionEmbeddings: theirs.original_max_position_embeddings });
    }
    const windows = (layerTypes ?? []).map((type) => (type === "sliding_attention" ? slidingWindow : null));
    const all = ours.layerTypes.map((type) => (type === "sliding_attention" ? ours.slidingWindow : null));
    expect(all).toEqual(layerTypes === null ? all.map(() => null) : windows);
  });
});

const ROPES = ["dynamic", "yarn", "longrope", "su", "mrope", "proportional"];
const LAYER_TYPES = ["full_attention", "sliding_attention", "full_attention", "full_attention"];
/** What a model of another kind would compute with; each is refused by its name. */
const FOREIGN: readonly Record<string, unknown>[] = [
  ...ROPES.map((rope_type) => ({ rope_scaling: { rope_type, factor: 2 } })),
  ...["rope_scaling", "rope_parameters"].flatMap((key) => [
    { [key]: { rope_type: "linear", factor: 2, attention_factor: 2 } },
    { [key]: { rope_type: "default", partial_rotary_factor: 0.5 } },
    { [key]: { rope_type: "default", mrope_section: [2, 1, 1] } },
    { [key]: { rope_type: "linear" } },
    { [key]: { rope_type: "llama3", factor: 8 } },
  ]),
  ...["gelu", "gelu_new", "quick_gelu", "relu", "relu2", "tanh"].flatMap((name) => [
    { hidden_act: name, hidden_activation: name },
  ]),
  { layer_types: ["full_attention", "linear_attention", "full_attention", "full_attention"] },
  { layer_types: ["full_attention"] },
  { quantization_config: { quant_method: "gptq", bits: 4 } },
  { quantization: { group_size: 64, bits: 4 } },
  { use_bidirectional_attention: true },
  { partial_rotary_factor: 0.5 },
  // transformers' masks go by it in every architecture.
  { is_causal: false },
  { is_causal: null },
  { per_layer_config: { 1: { intermediate_size: 32 } } },
  { block_configs: [{ n_heads_in_group: 2 }] },
  { transformers_weights: "other.safetensors" },
  { attention_multiplier: 0.5 },
  { embedding_multiplier: 12 },
  { residual_multiplier: 0.2 },
  { logits_scaling: 8 },
  { logit_scale: 0.06 },
  { attention_dropout: 0.1 },
  { pretraining_tp: 2 },
  { num_experts: 8 },
  { num_local_experts: 8 },
  { moe_intermediate_size: 64 },
  { no_rope_layers: [1, 0, 1, 1] },
  { attn_temperature_tuning: true },
  { attention_chunk_size: 64 },
  { use_qk_norm: true },
  { clip_qkv: 8 },
  { qkv_bias: true },
  { attention_out_bias: true },
  { add_cross_attention: true },
  { tie_word_embeddings: null },
  { tie_word_embeddings: "yes" },
  { rope_theta: -1 },
  { rope_scaling: { full_attention: { rope_type: "linear", factor: 2 } } },
  // Of each type where there is one kind, and of all layers where there are two.
  {
    rope_parameters: {
      ...{ rope_type: "linear", factor: 2 },
      ...{ full_attention: { rope_type: "default" }, sliding_attention: { rope_type: "default" } },
    },
  },
  { layer_types: LAYER_TYPES, sliding_window: null },
  { head_dim: 7 },
  { num_key_value_heads: 3 },
];
const FLAT = ["llama", "qwen2", "qwen3", "gemma2"];
/** What some architectures have, and the others refuse. */
const OF_SOME: readonly [Record<string, unknown>, readonly string[]][] = [
  [{ attention_bias: true }, ["llama", "qwen3", "gemma2", "gemma3_text"]],
  [{ mlp_bias: true }, ["llama"]],
  [{ sliding_window: 16 }, ["qwen2", "qwen3", "gemma2", "gemma3_text"]],
  [{ use_sliding_window: true, sliding_window: 16 }, ["qwen2", "qwen3"]],
  [{ query_pre_attn_scalar: 16 }, ["gemma2", "gemma3_text"]],
  [{ final_logit_softcapping: 20 }, ["gemma2", "gemma3_text"]],
  // Gemma 3's code in transformers has the key, and no cap.
  [{ attn_logit_softcapping: 20 }, ["gemma2"]],
  [{ rope_local_base_freq: 500 }, ["gemma3_text"]],
  [{ rope_parameters: { rope_type: "linear", factor: 2 } }, FLAT],
  [{ rope_scaling: { type: "linear", factor: 2 } }, FLAT],
  [{ rope_parameters: { full_attention: { rope_type: "linear", factor: 2 } } }, ["gemma3_text"]],
  [{ rope_parameters: { sliding_attention: { rope_theta: 500 } } }, ["gemma3_text"]],
];

describe.each(descriptions.map(({ modelType }) => modelType))("%s refuses by name", (modelType) => {
  it.each(FOREIGN)("%j", (keys) => {
    const [key] = Object.keys(keys);
    expect(() => parsed(modelType, keys)).toThrow(
      expect.objectContaining({
        name: "UserError",
        message: expect.stringMatching(
          new RegExp(`${key}|${key === "hidden_act" ? "hidden_activation" : key}|rope_type|rotary positions|heads`),
        ),
      }),
    );
  });

  it.each(OF_SOME)("%j, unless it has it", (keys, having) => {
    const parse = (): unknown => parsed(modelType, keys);
    if (having.includes(modelType)) expect(parse).not.toThrow();
    else expect(parse).toThrow(new RegExp(Object.keys(keys)[0]!));
  });

  it("a first length that is not the one of the rotary positions", () => {
    const rope_scaling = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const parse = (outside: number, inside?: number): unknown =>
      parsed(modelType, {
        rope_scaling: { ...rope_scaling, original_max_position_embeddings: inside },
        original_max_position_embeddings: outside,
      });
    expect(() => parse(64, 128)).toThrow(/original_max_position_embeddings is 64, and .* 128/);
    expect(() => parse(64)).toThrow(/original_max_position_embeddings is 64, and .* 512/);
    expect(() => parse(128, 128)).not.toThrow();
  });
});

it("a Gemma 3 that sees has no cap on its logits in transformers, whatever its text part says", () => {
  const description = descriptions.find(({ modelType }) => modelType === "gemma3_text")!;
  const json = { model_type: "gemma3", text_config: { ...golden.sizes, final_logit_softcapping: 20 } };
  expect(() => parseDecoderConfig({ path: "config.json", json }, description)).toThrow(/final_logit_softcapping = 20/);
});

it("no padding token is -1 in early Llamas", () => {
  expect(parsed("llama", { pad_token_id: -1 }).padTokenId).toBe(0);
});
