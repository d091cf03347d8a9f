/** Writes docs/operations.md. Its WebGPU column is measured on SwiftShader. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openDevice } from "../index.js";
import type { Agreement } from "./agreement.js";
import { agreementCells, supportPage, typesOn } from "./support-table.js";
import { runOnSwiftShader, swiftShaderEnvironment } from "./swiftshader.js";

if (!swiftShaderEnvironment()) throw new Error("The column of webgpu needs SwiftShader (Debian's package chromium)");
const script = fileURLToPath(new URL("./agreement.ts", import.meta.url));
const parseLines = (text: string): Agreement[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Agreement);
const webgpu = agreementCells(parseLines(await runOnSwiftShader(script, ["webgpu"])));
const cpu = await typesOn(await openDevice("cpu", { threads: 1 }));
const page = new URL("../../../docs/operations.md", import.meta.url);
writeFileSync(page, supportPage(cpu, webgpu));
