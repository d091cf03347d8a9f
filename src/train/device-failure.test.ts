import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { failureOf, runtimeError } from "../graph/devices/failures.js";
import { DeviceFailure, GraphError, openDevice } from "../graph/index.js";
import type { Example } from "../models/model.js";
import { createTinyT5 } from "../models/t5/create.js";
import { type TrainingOptions, train } from "./index.js";

const folder = mkdtempSync(join(tmpdir(), "device-failure-"));
afterAll(() => rmSync(folder, { recursive: true }));

const examples: Example[] = Array.from({ length: 24 }, (_, row) => ({
  id: `row ${row}`,
  input: [3 + row, 4, 5, 1],
  target: [3 + (row % 4)],
}));

const options = (checkpointFolder: string): TrainingOptions => ({
  epochs: 1,
  batchSize: 4,
  gradientAccumulationSteps: 1,
  learningRate: 1e-2,
  schedule: "linear",
  warmupRatio: 0,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
  seed: 3,
  dropout: true,
  loggingSteps: 1,
  saveSteps: 2,
  checkpointFolder,
  validateEachEpoch: false,
  loadBestModelAtEnd: false,
  earlyStoppingPatience: null,
  identity: "x",
});

/** Trains on a device whose run of the model fails in a step, as the runtime would say it. */
async function run(checkpoints: string, failing?: { step: number; message: string }): Promise<number[][]> {
  const device = await openDevice("cpu", { threads: 1 });
  const compile = device.compile.bind(device);
  device.compile = async (graph, given) => {
    const program = await compile(graph, given);
    if (graph.name !== "t5.training") return program;
    const plain = program.run.bind(program);
    let runs = 0;
    program.run = async (...given) => {
      if (++runs === failing?.step) throw runtimeError("The program failed", "webgpu", new Error(failing.message));
      return plain(...given);
    };
    return program;
  };
  const model = await createTinyT5(device, { vocabSize: 32, dModel: 16, numLayers: 1, numDecoderLayers: 1 }, 7);
  try {
    await train(model, { train: examples }, options(checkpoints));
    return model.parameters.map(({ array }) => [...(array.data as Float32Array)]);
  } finally {
    await model.dispose();
    await device.close();
  }
}

it("a device lost or without memory ends with the checkpoint kept and what to do; the run goes on to the same bits", async () => {
  const whole = await run(join(folder, "whole"));
  const lost = join(folder, "lost");
  await expect(run(lost, { step: 4, message: "WebGPU device lost (1): vkQueueSubmit failed" })).rejects.toMatchObject({
    message: expect.stringMatching(/^in step 4: .*the device webgpu was lost \(WebGPU device lost/),
    hint: "The checkpoint of step 2 is kept: run the same command again, it goes on from there.",
    cause: expect.any(DeviceFailure),
  });
  expect(await run(lost)).toEqual(whole);
  const full = join(folder, "full");
  await expect(run(full, { step: 1, message: "Failed to create GPU buffer: size=1e9" })).rejects.toMatchObject({
    message: expect.stringMatching(/^in step 1: .*the device webgpu has no memory left/),
    hint: expect.stringMatching(
      /^No checkpoint was due yet.*In batches of 2 .*training\.batchSize=2 --set training\.gradientAccumulationSteps=2;/,
    ),
  });
});

it("tells failures of a device from faults of a graph by what the runtime says", () => {
  const said = {
    "WebGPU device lost (2): the driver was reset": "lost",
    "Failed to download data from buffer. wgpu::MapAsyncStatus value: 4": "lost",
    "Failed to create GPU buffer: size=2147483648": "memory",
    "VK_ERROR_OUT_OF_DEVICE_MEMORY - While calling [Device].CreateBuffer": "memory",
    "Failed to allocate memory for requested buffer of size 4096": "memory",
    "Non-zero status code returned while running Gemm node": undefined,
  } as const;
  for (const [message, kind] of Object.entries(said)) expect([message, failureOf(message)]).toEqual([message, kind]);
  const plain = runtimeError("The program x failed", "webgpu", new Error("Invalid dimensions"));
  expect([plain instanceof DeviceFailure, plain instanceof GraphError, plain.message]).toEqual([
    false,
    true,
    "The program x failed: Invalid dimensions",
  ]);
});
