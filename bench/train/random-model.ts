import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../src/base/files.js";
import { elementCount } from "../../src/graph/index.js";
import { writeShardedSafetensors } from "../../src/models/index.js";
import { Random } from "../../src/models/random.js";

/** 1 in bfloat16. */
const ONE = 0x3f80;

/**
 * A model's folder of random weights in the real format (bfloat16, sharded): matrices of variance 1/inputs, norms that
 * only normalize, no biases.
 * @param config what config.json holds
 */
export function writeRandomModel(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  shapes: Iterable<readonly [string, readonly number[]]>,
): void {
  mkdirSync(folder, { recursive: true });
  // Gemma's norms multiply by one more than their weight.
  const addsOne = String(config["model_type"]).startsWith("gemma");
  const random = new Random(1);
  // A stretch of normal numbers is used again and again: a billion of them would take minutes.
  const normal = Float32Array.from({ length: 1 << 20 }, () => random.normal());
  const tensors = [...shapes].map(([name, shape]) => ({
    name,
    shape,
    type: "BF16" as const,
    elements: () => {
      const words = new Uint16Array(elementCount(shape));
      if (name.endsWith("norm.weight") && !addsOne) words.fill(ONE);
      if (shape.length < 2) return words;
      const bits = new Uint32Array(normal.map((value) => value * shape[1]! ** -0.5).buffer);
      for (let at = 0, from = random.below(normal.length); at < words.length; at++, from = (from + 1) % normal.length)
        words[at] = bits[from]! >>> 16;
      return words;
    },
  }));
  writeShardedSafetensors(join(folder, "model.safetensors"), tensors, 2_000_000_000);
  // transformers takes a whole number for one of another type.
  const float = (text: string): string =>
    text.replace(/("(?:rope_theta|final_logit_softcapping|attn_logit_softcapping)": \d+)(?=[,\n])/g, "$1.0");
  writeWhole(
    join(folder, "config.json"),
    float(JSON.stringify({ ...config, dtype: "bfloat16", torch_dtype: "bfloat16" }, null, 2)),
  );
}
