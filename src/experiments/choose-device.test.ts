import { afterEach, expect, it, vi } from "vitest";
import { silent } from "../base/progress.js";
import { chooseDevice, describeAdapter, withChosenDevice } from "./choose-device.js";
import { configure } from "./configuration/configure.js";
import { onSample } from "./sample.js";

afterEach(() => vi.unstubAllEnvs());

it("auto takes the CPU where the only GPU is a driver in software, and says so", async () => {
  vi.stubEnv("VK_DRIVER_FILES", "/none/vk_swiftshader_icd.json");
  expect(await chooseDevice()).toEqual({ device: "cpu", why: "SwiftShader is a driver in software" });
  const said: string[] = [];
  const context = { progress: { ...silent, say: (line: string) => void said.push(line) }, environment: {} };
  const configuration = onSample(await configure("flan-t5-finetune", ["device=auto"]));
  expect(await withChosenDevice(configuration, context)).toMatchObject({ device: "cpu" });
  const asked = await configure("gemma-3-27b-baseline", ["answerer.model=local:.", "answerer.device=auto"]);
  expect(await withChosenDevice(asked, context)).toMatchObject({ answerer: { device: "cpu" } });
  expect(said).toEqual(Array(2).fill("--device auto chose cpu: SwiftShader is a driver in software"));
  // What names a device keeps it.
  const named = await configure("flan-t5-finetune", ["device=webgpu"]);
  expect(await withChosenDevice(named, context)).toBe(named);
});

it("an adapter is told with what the system knows of it", () => {
  const card = { name: "NVIDIA H100", driver: "550.54.15", memory: 80 * 2 ** 30, free: 79 * 2 ** 30 };
  expect(describeAdapter({ ...card, software: false, source: "nvidia-smi" })).toBe(
    "NVIDIA H100 (driver 550.54.15, 80.0 GiB, 79.0 GiB free)",
  );
  expect(describeAdapter({ name: "Intel 46a6", software: false, source: "/sys" })).toBe("Intel 46a6");
});
