import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runOnSwiftShader, swiftShaderEnvironment } from "../src/graph/testing/swiftshader.js";
import { mmmlu } from "./command.js";
import type { StepCounters } from "./device-counters.js";

if (!swiftShaderEnvironment()) console.warn("Skipped: WebGPU tests need SwiftShader (Debian's package chromium)");

describe.skipIf(!swiftShaderEnvironment())("an optimizer step of two batches on WebGPU, on SwiftShader", () => {
  it("waits for each batch's loss and once for the gradients' norm, and sends no weights", {
    timeout: 600_000,
  }, async () => {
    const script = fileURLToPath(new URL("./device-counters.ts", import.meta.url));
    const lines = (await runOnSwiftShader(script, ["webgpu"])).trim().split("\n");
    const steps = Object.fromEntries(
      lines.map((line) => JSON.parse(line) as StepCounters).map(({ model, step }) => [model, step]),
    );
    expect(steps).toEqual({
      t5: { runs: 158, nodes: 3402, uploads: 128, bytesSent: 20_712, bytesRead: 12, waits: 3 },
      // Most of what is sent are the words of 4-bit weights: no GPU of this runtime holds uint16.
      "gemma2, fp4 with LoRA": { runs: 44, nodes: 1926, uploads: 170, bytesSent: 189_420, bytesRead: 12, waits: 3 },
    });
  });
});

describe("--device cuda", () => {
  it("is refused for training with the reason", { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "device-cuda-"));
    const { code, error } = await mmmlu(["run", "flan-t5-finetune", "--sample", "--device", "cuda", "--out", folder]);
    rmSync(folder, { recursive: true });
    expect(code).toBe(1);
    expect(error).toContain("the device cuda is not for training: onnxruntime-node copies all weights to the card");
    expect(error).toContain("Use --device webgpu or --device cpu.");
  });
});
