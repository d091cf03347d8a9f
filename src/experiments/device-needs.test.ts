import { describe, expect, it } from "vitest";
import { type DeviceCounters, openMetaDevice } from "../graph/index.js";
import { architectureOf } from "../models/index.js";
import { longestRow } from "./choose-device.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import { deviceNeed, difference, type LongestRow, type ModelConfig, planFor } from "./device-needs.js";
import { experiments } from "./presets/index.js";

const GIBIBYTE = 2 ** 30;

function published(name: "flan-t5-finetune" | "gemma-2-2b-finetune" | "gemma-3-270m-finetune"): {
  configuration: FinetuneConfiguration;
  config: ModelConfig;
  longest: LongestRow;
} {
  const { preset, finetune } = experiments[name];
  const json = finetune!.modelConfig!;
  const config = { path: name, json, modelType: String(json["model_type"]) };
  return { configuration: preset, config, longest: longestRow(preset) };
}

describe("a published step on WebGPU, its rows as long as the filter lets them be", () => {
  it.each([
    [
      "flan-t5-finetune",
      { expanded: false, mergeBatches: false },
      { runs: 40, nodes: 11_699, uploads: 22, bytesSent: 607_784, bytesRead: 8, waits: 1 },
    ],
    [
      "gemma-2-2b-finetune",
      { expanded: false, mergeBatches: false },
      { runs: 345, nodes: 71_076, uploads: 62, bytesSent: 43_488_660, bytesRead: 20, waits: 1 },
    ],
    [
      "gemma-2-2b-finetune",
      { expanded: true, mergeBatches: true },
      { runs: 105, nodes: 22_166, uploads: 18, bytesSent: 42_684_860, bytesRead: 8, waits: 1 },
    ],
  ] as const)("%s, %o: waits at most twice, sends at most 200 arrays and 50 MB", async (name, plan, figures) => {
    const { configuration, config, longest } = published(name);
    const { step } = await deviceNeed(configuration, config, "webgpu", longest, plan);
    expect(step!.waits).toBeLessThanOrEqual(2);
    expect(step!.uploads).toBeLessThanOrEqual(200);
    expect(step!.bytesSent).toBeLessThanOrEqual(50e6);
    // The table of docs/engine.md.
    expect(step).toEqual(figures);
  });
});

describe("a token of generation on WebGPU, at real shapes", () => {
  it.each([
    ["flan-t5-finetune", { runs: 2, nodes: 971, uploads: 3, bytesSent: 28, bytesRead: 756, waits: 1 }],
    ["gemma-2-2b-finetune", { runs: 31, nodes: 2314, uploads: 2, bytesSent: 9220, bytesRead: 6000, waits: 1 }],
    ["gemma-3-270m-finetune", { runs: 23, nodes: 1845, uploads: 1, bytesSent: 4, bytesRead: 6144, waits: 1 }],
  ] as const)("%s: sends its number, reads the largest logits, waits once", async (name, figures) => {
    const { configuration, config, longest } = published(name);
    const device = openMetaDevice("webgpu");
    const { quantization } = configuration.model;
    const model = await architectureOf(config).ofShape(config, device, {
      quantization: { kind: quantization },
      frozen: true,
    });
    const seen: DeviceCounters[] = [];
    await model.generate([Array.from({ length: longest.input }, (_, i) => 3 + i)], {
      maximumNewTokens: 3,
      onToken: () => void seen.push(device.counters),
    });
    expect(difference(seen[1]!, seen[2]!)).toEqual(figures);
    // The letters of a whole batch: one pass, whose caches are not kept.
    const before = device.counters;
    await model.letterLogProbabilities(Array(4).fill(Array(longest.input).fill(5)), [5, 6, 7, 8]);
    const { waits, bytesRead } = difference(before, device.counters);
    expect({ waits, bytesRead }).toEqual({ waits: 1, bytesRead: 4 * 4 * model.vocabularySize });
    const { now } = device.memoryUse;
    await model.dispose();
    expect(now).toBeGreaterThan(device.memoryUse.now);
    expect(device.memoryUse.now).toBe(0);
  });
});

describe("what fits", () => {
  const { configuration, config, longest } = published("gemma-2-2b-finetune");
  const plan = async (gibibytes: number | undefined) =>
    (await planFor(configuration, config, "webgpu", longest, gibibytes && gibibytes * GIBIBYTE)).plan;

  it("is held in the roomiest way that fits, and in the smallest where the memory is not told", async () => {
    expect(await plan(80)).toEqual({ expanded: true, mergeBatches: true });
    expect(await plan(13)).toEqual({ expanded: true, mergeBatches: false });
    expect(await plan(6)).toEqual({ expanded: false, mergeBatches: false });
    expect(await plan(undefined)).toEqual({ expanded: false, mergeBatches: false });
  });

  it("is refused where nothing does, with what would", async () => {
    await expect(plan(5)).rejects.toMatchObject({
      message: expect.stringMatching(/^training needs at least [\d.]+ GiB on webgpu, and 4\.5 GiB of its 5\.0 GiB/),
      hint: expect.stringMatching(
        /^Batches of [21] would fit: --set training\.batchSize=[21] --set training\.gradient/,
      ),
    });
    await expect(plan(2)).rejects.toMatchObject({ hint: expect.stringMatching(/^Use --device cpu/) });
  });

  it("is refused where the device does not reach a weight that is trained", async () => {
    const whole = { ...configuration, lora: null, model: { ...configuration.model, quantization: "none" as const } };
    await expect(deviceNeed(whole, config, "webgpu", longest)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^model\.embed_tokens\.weight is float32 \[256000, 2304\], 2\.2 GiB: webgpu reaches no more than 2\.0 GiB/,
      ),
      hint: expect.stringContaining("Train adapters alone"),
    });
  });
});
