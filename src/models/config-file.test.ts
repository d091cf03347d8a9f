import { describe, expect, it } from "vitest";
import { gemma2 } from "./architectures/gemma2.js";
import { parseDecoderConfig } from "./decoder/config.js";
import { decoderConfigJson } from "./decoder/config-json.js";
import { tinyDecoderConfig } from "./decoder/create.js";
import { parseT5Config } from "./t5/config.js";

const t5 = { vocab_size: 40, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 2, num_heads: 2, num_decoder_layers: 2 };
const gemma = decoderConfigJson(tinyDecoderConfig(gemma2, { vocabSize: 40 }), gemma2);

/** Each size of a configuration, made what no model has. */
const wrong = (json: Record<string, unknown>): [string, unknown][] =>
  Object.entries(json)
    .filter(([key, value]) => typeof value === "number" && !/eps|dropout|softcap|theta|scalar/.test(key))
    .flatMap(([key]) => [1e9 + 0.5, 1e308, -1, Number.NaN, "many", {}].map((value): [string, unknown] => [key, value]));

describe("sizes in config.json", () => {
  it.each(wrong({ ...t5, relative_attention_num_buckets: 32, relative_attention_max_distance: 128, pad_token_id: 0 }))(
    "of T5 have a bound: %s = %j",
    (key, value) => {
      const file = {
        path: "config.json",
        modelType: "t5",
        json: { feed_forward_proj: "gated-gelu", ...t5, [key]: value },
        floatKeys: new Set<string>(),
      };
      expect(() => parseT5Config(file)).toThrow(new RegExp(`config.json is no configuration of T5: ${key}: `));
    },
  );

  // Where there is no padding, checkpoints say -1.
  const gemmaWrong = wrong(gemma).filter(([key, value]) => key !== "pad_token_id" || value !== -1);
  it.each(gemmaWrong)("of Gemma 2 have a bound: %s = %j", (key, value) => {
    expect(() => parseDecoderConfig({ path: "config.json", json: { ...gemma, [key]: value } }, gemma2)).toThrow(
      /config\.json/,
    );
  });

  it.each(["num_layers", "num_decoder_layers", "num_heads"])("are told: %s", (key) => {
    const file = {
      path: "config.json",
      modelType: "t5",
      json: { ...t5, [key]: 1_000_000_000 },
      floatKeys: new Set<string>(),
    };
    expect(() => parseT5Config(file)).toThrow(/expected at most \d+/);
  });
});
