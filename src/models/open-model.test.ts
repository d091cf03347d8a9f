import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { openDevice, openMetaDevice } from "../graph/index.js";
import { gemma2 } from "./architectures/gemma2.js";
import { decoderConfigJson } from "./decoder/config-json.js";
import { tinyDecoderConfig } from "./decoder/create.js";
import { decoderWeightShapes } from "./decoder/weight-shapes.js";
import { checkFits, openModel } from "./open-model.js";

it("a model that cannot fit is refused before its weights are read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "too-large-"));
  const config = tinyDecoderConfig(gemma2, { vocabSize: 2 ** 24, hiddenSize: 2 ** 14 });
  writeFileSync(join(folder, "config.json"), JSON.stringify(decoderConfigJson(config, gemma2)));
  // More than a terabyte, none of which takes room on the disk.
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of decoderWeightShapes(config)) {
    const start = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: "F32", shape, data_offsets: [start, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(join(folder, "model.safetensors"), Buffer.concat([length, text]));
  truncateSync(join(folder, "model.safetensors"), 8 + text.length + end);
  const device = await openDevice("cpu");
  await expect(openModel(folder, device)).rejects.toMatchObject({
    message: expect.stringMatching(/needs 1024\.\d GiB for its weights, and [\d.]+ GiB is free/),
    hint: expect.stringContaining("--quantization fp4"),
  });
  await device.close();
  // Of a card nothing is known here but what nvidia-smi tells.
  writeFileSync(join(folder, "nvidia-smi"), "#!/bin/sh\necho 'NVIDIA T4, 550.54.15, 16384, 15000'\n", { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
  vi.stubEnv("VK_DRIVER_FILES", "");
  vi.stubEnv("VK_ICD_FILENAMES", "");
  if (process.platform !== "win32")
    await expect(openModel(folder, openMetaDevice("webgpu"))).rejects.toMatchObject({
      message: expect.stringMatching(/needs 1024\.\d GiB for its weights, and 14\.6 GiB is free on webgpu/),
    });
  vi.unstubAllEnvs();
  // By the configuration alone, before anything is fetched.
  const card = { free: 15_000 * 2 ** 20 };
  await expect(checkFits(folder, "webgpu", card)).rejects.toMatchObject({
    message: expect.stringMatching(/needs 1024\.\d GiB for its weights, and 14\.6 GiB is free on webgpu/),
  });
  await expect(checkFits(folder, "webgpu", card, { quantization: { kind: "int8" } })).rejects.toMatchObject({
    message: "int8 weights are not for webgpu, which has no 8-bit products",
  });
  await checkFits(folder, "webgpu", { free: 2 ** 42 });
  await checkFits(folder, "webgpu", {});
  rmSync(folder, { recursive: true });
});
