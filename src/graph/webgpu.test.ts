import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Agreement } from "./testing/agreement.js";
import { cases } from "./testing/cases.js";
import { runOnSwiftShader, swiftShaderEnvironment } from "./testing/swiftshader.js";

if (!swiftShaderEnvironment()) console.warn("Skipped: WebGPU tests need SwiftShader (Debian's package chromium)");

/** WGSL promises sine and cosine only to 2⁻¹¹. */
const LOOSE = new Set(["sin", "cos"]);

describe.skipIf(!swiftShaderEnvironment())("WebGPU, on SwiftShader", () => {
  it("agrees with the CPU on every operation and every gradient, on dropout's bits, and keeps state", {
    timeout: 300_000,
  }, async () => {
    const script = fileURLToPath(new URL("./testing/agreement.ts", import.meta.url));
    const output = await runOnSwiftShader(script, ["webgpu"]);
    const results = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Agreement);
    expect(results.map(({ name }) => name).sort()).toEqual([...Object.keys(cases), "dropout's bits", "state"].sort());
    const wrong = results.filter(({ name, error }) => !((error ?? Infinity) <= (LOOSE.has(name) ? 1e-3 : 1e-4)));
    expect(wrong).toEqual([]);
  });
});
