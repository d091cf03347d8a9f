import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Finding } from "../src/cli/doctor/check.js";
import { checks } from "../src/cli/doctor/index.js";
import { experiments, presets } from "../src/experiments/index.js";
import { swiftShaderEnvironment } from "../src/graph/testing/swiftshader.js";
import { mmmlu } from "./command.js";

const { model } = experiments["gemma-3-27b-baseline"].preset.answerer;
const gated = experiments["gemma-2-2b-finetune"].preset.model.source;
const folder = mkdtempSync(join(tmpdir(), "mmmlu-doctor-"));
let server: Server;
let base = "";
/** A hub and a chat server in one: `good` is a token with access, `other` one without. */
beforeAll(async () => {
  server = createServer(({ url, headers }, response) => {
    const token = headers.authorization?.replace("Bearer ", "");
    const known = token === "good" || token === "other";
    const json = (status: number, value: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (url === "/api/whoami-v2") return json(known ? 200 : 401, { name: "someone" });
    if (url === `/${gated}/resolve/main/config.json`) return json(token === "good" ? 200 : 403, {});
    if (url === "/v1/models") return json(200, { object: "list", data: [{ id: model }] });
    return json(404, {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function doctor(environment: Record<string, string>, ...flags: string[]) {
  const cache = join(folder, "cache");
  const own = { HF_ENDPOINT: base, HF_HOME: cache, LMSTUDIO_ENDPOINT: `${base}/v1/`, HOME: folder, PATH: folder };
  const { code, out } = await mmmlu(["doctor", "--json", ...flags], { environment: { ...own, ...environment } });
  const findings = JSON.parse(out) as Finding[];
  const of = (name: string): Finding | undefined => findings.find((one) => one.name === name);
  return { code, findings, of };
}

it("finds what is there: hub, token, server, packages; and says of what is missing what for, and what mends it", async () => {
  const { code, findings, of } = await doctor({ HF_TOKEN: "good" });
  expect(code).toBe(0);
  for (const name of ["Node", "onnxruntime-node", "tokenizers", "@duckdb/node-api", "device cpu", "hub"])
    expect([name, of(name)?.state]).toEqual([name, "ok"]);
  expect(of("hub's token")).toMatchObject({ state: "ok", what: `its account has access to ${gated}` });
  expect(of("chat server")).toMatchObject({ state: "ok", what: `${base}/v1/ has ${model}` });
  expect(of("Python")).toMatchObject({ state: "missing", what: "there is no python3 that can be started" });
  expect(existsSync(/install -r (\S+),/.exec(of("Python")!.mend!)![1]!)).toBe(true);
  for (const preset of presets) expect(of(`files of ${preset.name}`)?.state).toBe("missing");
  for (const { state, neededFor, mend } of findings)
    if (state !== "ok") expect([neededFor, mend]).not.toContain(undefined);
  // Nobody looks at a secret.
  expect(JSON.stringify(findings)).not.toContain("good");
});

it("of a device that is not there says what to install", async () => {
  const { of } = await doctor({ VK_DRIVER_FILES: "", VK_ICD_FILENAMES: "" }, "--offline");
  for (const name of ["device webgpu", "device cuda"]) {
    const found = of(name)!;
    if (found.state !== "ok") expect(found.mend).toMatch(/card and its driver/);
  }
});

const software = swiftShaderEnvironment();
it.skipIf(!software)("a driver in software is told as what it is, no GPU", async () => {
  const { of } = await doctor(software!, "--offline");
  expect(of("device webgpu")?.state).toBe("missing");
  // It may die as it starts: that is told, and doctor goes on.
  expect(of("device webgpu")!.what).toMatch(/^SwiftShader \(a driver in software|^its driver ended the process/);
  expect(of("Node")?.state).toBe("ok");
});

it.each([
  [{}, "missing", "none is set"],
  [{ HF_TOKEN: "other" }, "missing", `its account has no access to ${gated}`],
  [{ HF_TOKEN: "stale" }, "broken", "the hub does not know it"],
])("tells the token's state: %j", async (environment, state, what) => {
  const { code, of } = await doctor(environment as Record<string, string>);
  expect(of("hub's token")).toMatchObject({ state, what });
  expect(code).toBe(state === "broken" ? 1 : 0);
});

it("asks nobody with --offline, and finds the cache, a server that is not there, a bad address", async () => {
  for (const [type, name] of [
    ["datasets", "openai--MMMLU"],
    ["models", "google--flan-t5-base"],
  ]) {
    const snapshot = join(folder, "cache/hub", `${type}--${name}`, "snapshots/0123");
    mkdirSync(snapshot, { recursive: true });
    writeFileSync(join(snapshot, "tokenizer.json"), "{}");
  }
  const { code, of } = await doctor(
    { LMSTUDIO_ENDPOINT: "http://127.0.0.1:9/v1/", WANDB_BASE_URL: "no address" },
    "--offline",
  );
  expect(of("hub")?.what).toContain("is not asked (offline)");
  expect(of("files of flan-t5-finetune")?.state).toBe("ok");
  expect(of("files of eda")).toMatchObject({ state: "missing", what: "not in the cache: FacebookAI/roberta-base" });
  expect(of("chat server")).toMatchObject({ state: "missing", neededFor: "gemma-3-27b-baseline" });
  expect(of("Weights & Biases")?.state).toBe("broken");
  expect(code).toBe(1);
});

it("goes on where a check fails: an address of the hub that is none", async () => {
  const { code, of, findings } = await doctor({ HF_ENDPOINT: "not an address" });
  expect(code).toBe(1);
  expect(of("hub")).toMatchObject({ state: "broken" });
  expect(of("hub")?.what).toContain("HF_ENDPOINT");
  expect(findings.length).toBeGreaterThan(checks.length);
});
