import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { gpuAdapters } from "./adapters.js";

const folder = mkdtempSync(join(tmpdir(), "adapters-"));
afterAll(() => rmSync(folder, { recursive: true }));

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(folder, "root-"));
});

function card(number: number, files: Readonly<Record<string, string>>): void {
  const device = join(root, `sys/class/drm/card${number}/device`);
  mkdirSync(device, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(device, name), `${text}\n`);
}

/** An environment whose nvidia-smi prints a text. */
function withNvidia(text: string): NodeJS.ProcessEnv {
  writeFileSync(join(root, "nvidia-smi"), `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
  chmodSync(join(root, "nvidia-smi"), 0o755);
  return { PATH: `${root}:/bin:/usr/bin` };
}

describe.skipIf(process.platform === "win32")("graphics adapters", () => {
  it("of NVIDIA are told by nvidia-smi, with driver and memory", async () => {
    card(0, { vendor: "0x10de", device: "0x2330" });
    const environment = withNvidia(
      "NVIDIA H100 80GB HBM3, 550.54.15, 81559, 81079\nNVIDIA T4, 550.54.15, [N/A], [N/A]",
    );
    expect(await gpuAdapters({ root, environment, platform: "linux" })).toEqual([
      {
        name: "NVIDIA H100 80GB HBM3",
        driver: "550.54.15",
        memory: 81_559 * 2 ** 20,
        free: 81_079 * 2 ** 20,
        software: false,
        source: "nvidia-smi",
      },
      {
        name: "NVIDIA T4",
        driver: "550.54.15",
        memory: undefined,
        free: undefined,
        software: false,
        source: "nvidia-smi",
      },
    ]);
  });

  it("of others are told by Linux; what is no card of a known maker is left out", async () => {
    card(0, { vendor: "0x1002", device: "0x744c", mem_info_vram_total: "25753026560", mem_info_vram_used: "53026560" });
    card(1, { vendor: "0x8086", device: "0x46a6" });
    card(2, { vendor: "0x1af4", device: "0x1050" });
    mkdirSync(join(root, "sys/class/drm/card0-DP-1"));
    const found = await gpuAdapters({ root, environment: { PATH: root }, platform: "linux" });
    expect(found.map(({ name, memory, free }) => [name, memory, free])).toEqual([
      ["AMD 744c", 25_753_026_560, 25_700_000_000],
      ["Intel 46a6", undefined, undefined],
    ]);
  });

  it("a driver in software that the environment names stands for all", async () => {
    const environment = {
      ...withNvidia("NVIDIA H100, 550, 81559, 81079"),
      VK_DRIVER_FILES: "/x/vk_swiftshader_icd.json",
    };
    expect(await gpuAdapters({ root, environment, platform: "linux" })).toMatchObject([
      { name: "SwiftShader", software: true },
    ]);
  });

  it("a driver in software that is installed stands where there is no card, or no other driver", async () => {
    const driver = (name: string): void => {
      mkdirSync(join(root, "usr/share/vulkan/icd.d"), { recursive: true });
      writeFileSync(join(root, "usr/share/vulkan/icd.d", name), "{}");
    };
    const names = async (environment: NodeJS.ProcessEnv = { PATH: root }) =>
      (await gpuAdapters({ root, environment, platform: "linux" })).map(({ name, software }) => [name, software]);
    driver("lvp_icd.x86_64.json");
    expect(await names(withNvidia("NVIDIA H100, 550, 81559, 81079"))).toEqual([["lavapipe", true]]);
    driver("intel_icd.x86_64.json");
    expect(await names({ PATH: "/nowhere" })).toEqual([["lavapipe", true]]);
    card(0, { vendor: "0x8086", device: "0x46a6" });
    expect(await names({ PATH: "/nowhere" })).toEqual([["Intel 46a6", false]]);
  });

  it("there are none where nothing tells of one, or an answer cannot be read", async () => {
    expect(await gpuAdapters({ root, environment: { PATH: root }, platform: "linux" })).toEqual([]);
    const environment = withNvidia("No devices were found");
    expect(await gpuAdapters({ root, environment, platform: "linux" })).toEqual([]);
    expect(await gpuAdapters({ root, environment: { PATH: root }, platform: "darwin" })).toEqual([]);
  });
});
