import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cases } from "./testing/cases.js";
import { swiftShaderEnvironment } from "./testing/swiftshader.js";
import type { Agreement } from "./testing/agreement.js";

const environment = swiftShaderEnvironment();
if (!environment) console.warn("Skipped: WebGPU tests need SwiftShader (Debian's package chromium)");

/** WGSL promises sine and cosine only to 2⁻¹¹. */
const LOOSE = new Set(["sin", "cos"]);

describe.skipIf(!environment)("WebGPU, on SwiftShader", () => {
  it("agrees with the CPU on every operation and every gradient, on dropout's bits, and keeps state", { timeout: 120_000 }, () => {
    const script = fileURLToPath(new URL("./testing/agreement.ts", import.meta.url));
    const output = execFileSync(process.execPath, ["--import", "tsx", script, "webgpu"], { env: { ...process.env, ...environment }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const results = output.trim().split("\n").map((line) => JSON.parse(line) as Agreement);
    expect(results.map(({ name }) => name).sort()).toEqual([...Object.keys(cases), "dropout", "state", "bnb4"].sort());
    const wrong = results.filter(({ name, error }) => !((error ?? Infinity) <= (LOOSE.has(name) ? 1e-3 : 1e-4)));
    expect(wrong).toEqual([]);
  });
});
