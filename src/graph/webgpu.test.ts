import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Agreement } from "./testing/agreement.js";
import { cases } from "./testing/cases.js";
import { agreementCells, pageCells, tolerance } from "./testing/support-table.js";
import { runOnSwiftShader, swiftShaderEnvironment } from "./testing/swiftshader.js";

if (!swiftShaderEnvironment()) console.warn("Skipped: WebGPU tests need SwiftShader (Debian's package chromium)");

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
    const wrong = results.filter(({ name, error }) => !((error ?? Infinity) <= tolerance(name)));
    expect(wrong).toEqual([]);
    const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
    for (const [name, cell] of agreementCells(results)) expect(pageCells(page).get(name)?.webgpu, name).toBe(cell);
  });
});
