import { describe, expect, it } from "vitest";
import type { GgufFile } from "../../gguf/index.js";
import { MetadataReader } from "../../gguf/metadata.js";
import { gemma2 } from "../architectures/gemma2.js";
import { gemma3 } from "../architectures/gemma3.js";
import { llama } from "../architectures/llama.js";
import { qwen2 } from "../architectures/qwen2.js";
import { qwen3 } from "../architectures/qwen3.js";
import { configOf } from "./config.js";

const DESCRIPTIONS = { llama, qwen2, qwen3, gemma2, gemma3 };
type Name = keyof typeof DESCRIPTIONS;

/** config.json of a header with these keys under the architecture's name. */
function read(name: Name, keys: Readonly<Record<string, number | string | boolean>>): Record<string, unknown> {
  const all = {
    ...{ context_length: 512, embedding_length: 32, block_count: 2, feed_forward_length: 64 },
    ...{ "attention.head_count": 4, "attention.layer_norm_rms_epsilon": 1e-6 },
    ...keys,
  };
  const metadata = new Map(Object.entries(all).map(([key, value]) => [`${name}.${key}`, value]));
  const tensors = new Map([["token_embd.weight", { shape: [64, 32] }]]);
  const file = { path: "m.gguf", metadata: new MetadataReader("m.gguf", metadata), tensors } as unknown as GgufFile;
  return configOf(file, DESCRIPTIONS[name]).json as Record<string, unknown>;
}

describe("a header's rotary positions, as llama.cpp reads them", () => {
  const linear = (factor: number) => ({ rope_type: "linear", factor });
  it.each<[Record<string, number | string>, unknown]>([
    [{}, undefined],
    [{ "rope.scaling.type": "linear", "rope.scaling.factor": 4 }, linear(4)],
    // Without a type they are linear; of none the factor says nothing.
    [{ "rope.scaling.factor": 4 }, linear(4)],
    [{ "rope.scale_linear": 4 }, linear(4)],
    [{ "rope.scale_linear": 4, "rope.scaling.factor": 2 }, linear(2)],
    [{ "rope.scaling.type": "none", "rope.scaling.factor": 4 }, undefined],
    [{ "rope.scaling.type": "none", "rope.scale_linear": 4 }, undefined],
    [{ "rope.scaling.factor": 1 }, undefined],
    [{ "rope.scaling.factor": 0 }, undefined],
  ])("%j", (keys, scaling) => {
    for (const name of Object.keys(DESCRIPTIONS) as Name[])
      expect(read(name, keys)["rope_scaling"] ?? undefined).toEqual(scaling);
  });
});

describe("a header that asks for another arithmetic is refused by its key", () => {
  it.each<Record<string, number | string | boolean>>([
    { "rope.scaling.type": "yarn" },
    { "rope.scaling.type": "longrope" },
    { "rope.scaling.attn_factor": 0.7 },
    { "rope.scaling.yarn_log_multiplier": 0.1 },
    { "rope.dimension_count": 4 },
    { "rope.dimension_sections": 2 },
    { "attention.scale": 0.5 },
    { "attention.output_scale": 2 },
    { "attention.clamp_kqv": 8 },
    { "attention.temperature_length": 8192 },
    { "attention.causal": false },
    { "attention.value_length": 16 },
    { "attention.layer_norm_epsilon": 1e-5 },
    { "attention.q_lora_rank": 8 },
    { "attention.sliding_window_type": 1 },
    { attn_logit_softcapping_of_tomorrow: 2 },
    { router_logit_softcapping: 30 },
    { expert_count: 8 },
    { expert_used_count: 2 },
    { expert_shared_count: 1 },
    { expert_weights_scale: 2 },
    { leading_dense_block_count: 1 },
    { logit_scale: 0.06 },
    { embedding_scale: 12 },
    { residual_scale: 0.2 },
    { use_parallel_residual: true },
    { pooling_type: 3 },
    { swin_norm: true },
  ])("%j", (keys) => {
    const key = Object.keys(keys)[0]!;
    for (const name of Object.keys(DESCRIPTIONS) as Name[])
      expect(() => read(name, keys), name).toThrow(
        expect.objectContaining({
          name: "UserError",
          hint: expect.any(String),
          message: expect.stringContaining(`${name}.${key}`),
        }),
      );
  });

  it.each<[string, readonly Name[]]>([
    ["attention.sliding_window", ["gemma2", "gemma3"]],
    ["attn_logit_softcapping", ["gemma2"]],
    ["final_logit_softcapping", ["gemma2", "gemma3"]],
    ["rope.freq_base_swa", ["gemma3"]],
  ])("%s, unless it has it", (key, having) => {
    for (const name of Object.keys(DESCRIPTIONS) as Name[]) {
      const asked = (): unknown => read(name, { [key]: 16 });
      if (having.includes(name)) expect(asked, name).not.toThrow();
      else expect(asked, name).toThrow(`${name}.${key}`);
    }
  });
});
