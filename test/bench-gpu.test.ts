import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A Python that has what engines/torch/requirements.txt lists. */
const python = process.env["MMMLU_TEST_TORCH"];
if (!python) console.warn("skipped: bench:gpu of the PyTorch engine (set MMMLU_TEST_TORCH)");

it("bench:gpu measures small models on the CPU, and prints what it is made for", async () => {
  const given = ["--import", "tsx", "bench/gpu.ts", "--device", "cpu", "--small", "--steps", "1"];
  given.push("--python", python ?? "no-python");
  const { stdout } = await promisify(execFile)(process.execPath, given, { cwd: root, maxBuffer: 1 << 24 });
  const { costs, models, torch, ...rest } = JSON.parse(stdout);
  expect(rest).toMatchObject({ device: "cpu", small: true, adapter: null, versions: { "onnxruntime-node": "1.30.0" } });
  for (const figure of [...Object.values(costs.productTflops), costs.runMicroseconds, costs.uploadGigabytes])
    expect(figure).toBeGreaterThan(0);
  expect(models.map(({ experiment }: { experiment: string }) => experiment)).toEqual([
    "flan-t5-finetune",
    "gemma-2-2b-finetune",
  ]);
  for (const { rowsPerSecond, tflops, losses, step } of models) {
    for (const figure of [rowsPerSecond, tflops, step.runs, ...losses]) expect(figure).toBeGreaterThan(0);
    expect(losses).toHaveLength(3);
  }
  if (!python)
    return expect(torch).toEqual({ absent: expect.stringMatching(/^no-python has no PyTorch engine: .*ENOENT/) });
  expect(torch.map(({ experiment }: { experiment: string }) => experiment)).toEqual([
    "flan-t5-finetune",
    "gemma-2-2b-finetune",
  ]);
  for (const { rowsPerSecond, tflops, productTflops, stepSeconds, versions } of torch) {
    for (const figure of [rowsPerSecond, tflops, productTflops]) expect(figure).toBeGreaterThan(0);
    expect(stepSeconds).toHaveLength(1);
    expect(versions).toHaveProperty("torch");
  }
});
