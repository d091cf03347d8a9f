import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runOnSwiftShader, swiftShaderEnvironment } from "../src/graph/testing/swiftshader.js";
import { mmmlu } from "./command.js";
import type { DeviceTraining } from "./device-training.js";

if (!swiftShaderEnvironment()) console.warn("Skipped: WebGPU tests need SwiftShader (Debian's package chromium)");

/** Bytes sent for a token of two rows: their numbers; T5's biases by distance; rows of a table that is in stretches. */
const SENT = { t5: 4 * 2 + 2 * 4 * 4, gemma2: 4 * 2 + 4 * 64 * 2, gemma3: 4 * 2 } as const;

describe.skipIf(!swiftShaderEnvironment())("generation and ten steps on WebGPU, on SwiftShader", () => {
  it.each(["t5", "gemma2", "gemma3"] as const)(
    "%s: as on the CPU, stopped and resumed too; counted as told by shapes alone; nothing strays to the CPU",
    { timeout: 1_200_000 },
    async (model) => {
      const script = fileURLToPath(new URL("./device-training.ts", import.meta.url));
      const found = JSON.parse(await runOnSwiftShader(script, ["webgpu", model])) as DeviceTraining;
      const { generation } = found;
      expect(generation.sameReplies).toBe(true);
      expect(generation.logProbabilities).toBeLessThan(1e-4);
      // Keys and values stay there: of a vocabulary of 1,024 two stretches' largest logits and places are read.
      expect(generation.counted).toMatchObject({ waits: 1, bytesSent: SENT[model], bytesRead: 2 * 2 * (4 + 8) });
      // Without elements all tokens are the first: one row of a table in stretches is sent for both.
      const sent = SENT[model] - (model === "gemma2" ? 4 * 64 : 0);
      expect(generation.told).toEqual({ ...generation.counted, bytesSent: sent });
      expect(generation.scored).toMatchObject({ waits: 1, bytesRead: 2 * 4 * 1024 });
      expect(generation.nodes["WebGpuExecutionProvider"]).toBeGreaterThan(100);
      expect(generation.strays).toEqual([]);
      expect(found.runs.length).toBeGreaterThan(0);
      for (const { run, losses, weights, counted, told } of found.runs) {
        expect(losses, `${run}: losses and norms`).toBeLessThan(1e-5);
        expect(weights, `${run}: weights`).toBeLessThan(1e-5);
        expect(counted, run).toEqual(told);
        expect(counted.waits, run).toBe(1);
      }
      expect(found.resumed).toBeLessThan(1e-5);
      if (model === "gemma3") {
        const { stretches, loss, gradients, logits, sameReplies } = found.stretched!;
        expect(stretches).toBeGreaterThan(2);
        for (const distance of [loss, gradients, logits]) expect(distance).toBeLessThan(1e-5);
        expect(sameReplies).toBe(true);
      }
      expect(found.sameReplies).toBe(true);
      expect(found.nodes["WebGpuExecutionProvider"]).toBeGreaterThan(100);
      expect(found.strays).toEqual([]);
    },
  );
});

describe("--device cuda", () => {
  it("is refused for training with the reason", async () => {
    const folder = mkdtempSync(join(tmpdir(), "device-cuda-"));
    const { code, error } = await mmmlu(["run", "flan-t5-finetune", "--sample", "--device", "cuda", "--out", folder]);
    rmSync(folder, { recursive: true });
    expect(code).toBe(1);
    expect(error).toContain("the device cuda is not for training: onnxruntime-node copies all weights to the card");
    expect(error).toContain("Use --device webgpu or --device cpu.");
  });
});
