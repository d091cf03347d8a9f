import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, openDevice } from "../src/graph/index.js";
import { runOnSwiftShader, swiftShaderEnvironment } from "../src/graph/testing/swiftshader.js";
import { batchesOfStep } from "../src/train/index.js";
import { type Distance, forwardAndBackward, golden, storedLoss, trainerRun } from "./t5-agreement.js";

/** Logits and loss to 1e-4, gradients and a run's losses to 1e-3, the same greedy tokens. */
const limit = ({ name }: Distance): number =>
  name.endsWith("greedy")
    ? 0
    : /gradient|run loss|weights/.test(name)
      ? 1e-3
      : name.includes("learning rate")
        ? 1e-9
        : 1e-4;
const far = (distances: readonly Distance[]): Distance[] => distances.filter((one) => !(one.distance <= limit(one)));

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.close());

describe("T5 against transformers", () => {
  it.each(["untied", "tied"] as const)(
    "logits, loss, every gradient and greedy replies, output layer %s",
    async (name) => {
      const distances = await forwardAndBackward(name, device);
      expect(distances.length).toBeGreaterThan(50);
      expect(far(distances)).toEqual([]);
    },
  );

  it.each(["bfloat16", "float16", "sharded"])("a checkpoint stored as %s", async (name) => {
    expect(far([await storedLoss(name, device)])).toEqual([]);
  });

  it.each([
    ["run", 30],
    ["run-accumulated", 32],
  ] as const)(
    "the Trainer's %s: rows in its order, each step's loss and norm, the final weights",
    async (name, steps) => {
      const { settings, examples, order } = JSON.parse(readFileSync(golden(name, "golden.json"), "utf8"));
      const plan = {
        rows: examples.length,
        batchSize: settings.per_device_train_batch_size,
        gradientAccumulationSteps: settings.gradient_accumulation_steps,
        epochs: settings.num_train_epochs,
        seed: settings.seed,
      };
      expect(Array.from({ length: steps }, (_, step) => batchesOfStep(plan, step)).flat()).toEqual(order);
      const distances = await trainerRun(name, device);
      expect(distances.filter((one) => one.name.startsWith("run loss"))).toHaveLength(steps);
      expect(far(distances)).toEqual([]);
    },
  );
});

if (!swiftShaderEnvironment()) console.warn("Skipped: T5 on WebGPU needs SwiftShader (Debian's package chromium)");

describe.skipIf(!swiftShaderEnvironment())("T5 on WebGPU (SwiftShader)", () => {
  it("agrees with transformers: logits, loss, gradients, greedy replies, training steps", {
    timeout: 900_000,
  }, async () => {
    const stdout = await runOnSwiftShader(fileURLToPath(new URL("./t5-agreement.ts", import.meta.url)), ["webgpu"]);
    const distances = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Distance);
    expect(distances.filter(({ name }) => name.startsWith("run loss"))).toHaveLength(6);
    expect(far(distances)).toEqual([]);
  });
});
