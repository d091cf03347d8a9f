import type { GgufFile } from "../../gguf/index.js";

/** Bytes of a key or value in llama.cpp's cache: it is float16 unless asked otherwise. */
const F16 = 2;

/**
 * Bytes that llama.cpp takes for a model at the least: its tensors as they are stored, and keys and values for a
 * context. Layers with a sliding window are counted as others: the sum is then somewhat too high.
 */
export function bytesNeeded({ metadata, tensors }: GgufFile, context: number): { weights: number; cache: number } {
  const architecture = metadata.text("general.architecture");
  const number = (name: string): number | undefined => metadata.optionalNumber(`${architecture}.${name}`);
  const heads = number("attention.head_count") ?? 1;
  const layers = number("block_count") ?? 0;
  const width = number("embedding_length") ?? 0;
  const key = number("attention.key_length") ?? width / heads;
  const value = number("attention.value_length") ?? key;
  const ofLayers = metadata.has(`${architecture}.attention.head_count_kv`)
    ? metadata.plain(`${architecture}.attention.head_count_kv`)
    : heads;
  const keyHeads = Array.isArray(ofLayers)
    ? ofLayers.reduce((sum: number, one) => sum + Number(one), 0)
    : Number(ofLayers) * layers;
  let weights = 0;
  for (const { bytes } of tensors.values()) weights += bytes;
  return { weights, cache: keyHeads * (key + value) * context * F16 };
}
