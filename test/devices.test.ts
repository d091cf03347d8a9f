import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { DeviceReport } from "../src/experiments/index.js";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-devices-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An environment without any Vulkan driver, whose nvidia-smi tells of a card with so much memory. */
function withCard(mebibytes: number): Record<string, string> {
  const program = join(folder, "nvidia-smi");
  writeFileSync(program, `#!/bin/sh\necho "NVIDIA H100 80GB HBM3, 550.54.15, ${mebibytes}, ${mebibytes}"\n`);
  chmodSync(program, 0o755);
  return { PATH: `${folder}:${process.env["PATH"]}`, VK_DRIVER_FILES: "", VK_ICD_FILENAMES: "" };
}

describe.skipIf(process.platform === "win32")("mmmlu devices", () => {
  it("tells of each device, its card and memory, and whether each experiment fits, nothing being fetched", async () => {
    const { code, out } = await mmmlu(["devices", "--json"], { environment: withCard(81_559) });
    expect(code).toBe(0);
    const [cpu, webgpu, cuda] = JSON.parse(out) as [DeviceReport, DeviceReport, DeviceReport];
    expect([cpu.name, webgpu.name, cuda.name]).toEqual(["cpu", "webgpu", "cuda"]);
    expect(cpu).toMatchObject({ opens: true, adapters: [] });
    expect(webgpu).toMatchObject({
      adapters: [{ name: "NVIDIA H100 80GB HBM3", driver: "550.54.15", memory: 81_559 * 2 ** 20 }],
      memory: 81_559 * 2 ** 20,
      bindingLimit: 2 ** 31 - 4,
      experiments: [
        { experiment: "flan-t5-finetune", fits: true },
        { experiment: "gemma-2-2b-finetune", fits: true, need: { plan: { expanded: true, mergeBatches: true } } },
        { experiment: "gemma-3-270m-finetune", fits: true },
        { experiment: "qwen2.5-0.5b-finetune", fits: true },
      ],
    });
    for (const { need } of webgpu.experiments) expect(need!.largest.bytes).toBeLessThan(webgpu.bindingLimit!);
    expect(cuda).toMatchObject({ experiments: [], notForTraining: expect.stringContaining("copies all weights") });
  });

  it("is a page to read, which says what does not fit a small card", async () => {
    const { code, out } = await mmmlu(["devices"], { environment: withCard(4096) });
    expect(code).toBe(0);
    expect(out).toMatch(/^webgpu: a GPU by Vulkan/m);
    expect(out).toMatch(/^ {2}adapter +NVIDIA H100 80GB HBM3 \(driver 550\.54\.15, 4\.0 GiB, 4\.0 GiB free\)$/m);
    expect(out).toMatch(
      /^ {2}gemma-2-2b-finetune +[\d.]+ GiB, largest array .*: does not fit: training needs at least/m,
    );
  });
});
