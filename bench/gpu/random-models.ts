import type { FinetuneConfiguration } from "../../src/experiments/configuration/schema.js";
import type { DevicePlan, ModelConfig } from "../../src/experiments/device-needs.js";
import { type Device, elementCount } from "../../src/graph/index.js";
import { parseDecoderConfig } from "../../src/models/decoder/config.js";
import type { FrozenTable } from "../../src/models/decoder/table.js";
import { decoderWeightShapes, isTable } from "../../src/models/decoder/weight-shapes.js";
import {
  addLora,
  DecoderModel,
  gemma2,
  type LanguageModel,
  makeParameter,
  Random,
  T5Model,
  Weights,
} from "../../src/models/index.js";
import { fourBitOf } from "../../src/models/quantize/stored.js";
import { parseT5Config, t5WeightShapes } from "../../src/models/t5/config.js";

/** A stretch of normal numbers that is used again and again: a billion of them would take minutes. */
function normals(): (count: number, deviation: number) => Float32Array {
  const random = new Random(1);
  const stretch = random.fillNormal(new Float32Array(1 << 18), 1);
  return (count, deviation) => {
    const scaled = stretch.map((value) => value * deviation);
    const elements = new Float32Array(count);
    for (let at = 0; at < count; at += scaled.length) elements.set(scaled.subarray(0, count - at), at);
    return elements;
  };
}

/** T5 of a configuration with random weights, all trained. */
export async function randomT5(device: Device, config: ModelConfig): Promise<T5Model> {
  const parsed = parseT5Config(config);
  const weights = new Weights(device);
  const normal = normals();
  for (const [name, shape] of t5WeightShapes(parsed, false)) {
    const count = elementCount(shape);
    const elements = shape.length === 1 ? new Float32Array(count).fill(1) : normal(count, shape[1]! ** -0.5);
    weights.add(await makeParameter(device, name, shape, elements));
  }
  return new T5Model(weights, parsed, false);
}

/** Gemma 2 of a configuration with random 4-bit weights, a frozen table and adapters. */
export async function randomGemma(
  device: Device,
  config: ModelConfig,
  { lora, model: { source, quantization } }: FinetuneConfiguration,
  { expanded }: DevicePlan,
): Promise<LanguageModel> {
  const parsed = parseDecoderConfig(config, gemma2);
  const weights = new Weights(device, "float16");
  const tables = new Map<string, FrozenTable>();
  const random = new Random(2);
  const blockSize = 64;
  for (const [name, shape] of decoderWeightShapes(parsed)) {
    const count = elementCount(shape);
    if (isTable(name)) tables.set(name, { type: "float16", words: randomHalves(count, random) });
    else if (shape.length < 2) weights.add(await makeParameter(device, name, shape, new Float32Array(count), false));
    else {
      const packed = new Uint8Array(count / 2);
      const words = new Uint32Array(packed.buffer, 0, Math.floor(packed.length / 4));
      for (let i = 0; i < words.length; i++) words[i] = random.next();
      const absmax = new Float32Array(count / blockSize).fill(2 * shape[1]! ** -0.5);
      const kind = quantization === "nf4" ? "nf4" : "fp4";
      weights.addStored(
        name,
        await fourBitOf(
          device,
          shape as [number, number],
          { packed, absmax },
          {
            kind,
            blockSize,
            doubleQuantization: false,
            expanded,
          },
        ),
      );
    }
  }
  const model = new DecoderModel(weights, parsed, gemma2, tables);
  const { r: rank, alpha, dropout, targetModules: modules } = lora!;
  await addLora(weights, { rank, alpha, dropout, modules, base: source }, 1);
  return model;
}

/** float16 numbers of either sign between 1/64 and 1/32. */
function randomHalves(count: number, random: Random): Uint16Array {
  const words = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const bits = random.next();
    words[i] = ((bits & 1) << 15) | (9 << 10) | ((bits >>> 8) & 1023);
  }
  return words;
}
