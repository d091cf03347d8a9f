import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, openDevice } from "../src/graph/index.js";
import { runOnSwiftShader, swiftShaderEnvironment } from "../src/graph/testing/swiftshader.js";
import { adaptedModel, type Base, bareModel, trainerRun, VARIANTS, type Variant } from "./decoder-agreement.js";
import type { Distance } from "./t5-agreement.js";

/** Logits and loss to 1e-4, gradients and a run's losses to 1e-3, the same greedy tokens. */
const limit = ({ name }: Distance): number =>
  name === "greedy" ? 0 : /gradient|run loss/.test(name) ? 1e-3 : name.includes("learning rate") ? 1e-9 : 1e-4;
const far = (distances: readonly Distance[]): Distance[] => distances.filter((one) => !(one.distance <= limit(one)));

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.close());

describe.each(Object.keys(VARIANTS) as Variant[])("%s against transformers, PEFT and bitsandbytes", (variant) => {
  it("logits, loss, every gradient and greedy replies", async () => {
    const distances = await bareModel(variant, device);
    expect(distances.length).toBeGreaterThan(30);
    expect(far(distances)).toEqual([]);
  });

  it.each(["none", "fp4", "nf4-double"] as Base[])(
    "a PEFT adapter on a base held as %s: logits, loss, the adapters' gradients",
    async (base) => {
      const distances = await adaptedModel(variant, base, device);
      expect(distances.length).toBeGreaterThan(15);
      expect(far(distances)).toEqual([]);
    },
  );

  it.skipIf(VARIANTS[variant].trains === "nothing")(
    "a Trainer run of QLoRA, or of all weights: each step's loss and norm",
    async () => {
      const distances = await trainerRun(variant, device);
      expect(distances.filter(({ name }) => name.startsWith("run loss"))).toHaveLength(32);
      expect(far(distances)).toEqual([]);
    },
  );
});

if (!swiftShaderEnvironment())
  console.warn("Skipped: decoder-only models on WebGPU needs SwiftShader (Debian's package chromium)");

describe.skipIf(!swiftShaderEnvironment())("Decoder-only models on WebGPU (SwiftShader)", () => {
  it.each(["gemma2", "gemma3", "qwen2"])(
    "%s agrees with transformers: logits, loss, gradients, greedy replies, 4-bit bases, training steps",
    {
      timeout: 480_000,
    },
    async (variant) => {
      const stdout = await runOnSwiftShader(fileURLToPath(new URL("./decoder-agreement.ts", import.meta.url)), [
        "webgpu",
        variant,
      ]);
      const distances = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Distance);
      expect(distances.filter(({ name }) => name.startsWith("run loss"))).toHaveLength(3);
      expect(far(distances)).toEqual([]);
    },
  );
});
