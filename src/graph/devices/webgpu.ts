import { gpuAdapters } from "./adapters.js";
import type { DeviceDefinition, DeviceTraits } from "./definition.js";

/** Dawn's limit on NVIDIA's cards, 2 GiB less one word: what lies beyond it of a larger array is not reached. */
const BINDING_LIMIT = 2 ** 31 - 4;

const TRAITS: DeviceTraits = {
  memory: "device",
  missing: ["FusedMatMul", "LogSoftmax"],
  outputsInPlace: false,
  bindingLimit: BINDING_LIMIT,
};

/** A GPU by Vulkan, Metal or Direct3D 12: arrays stay in its memory from run to run. */
export const webgpu: DeviceDefinition<"webgpu"> = {
  name: "webgpu",
  summary: "a GPU by Vulkan, Metal or Direct3D 12 (Linux x64, Windows, macOS); float32",
  int8Products: false,
  traits: TRAITS,
  adapters: gpuAdapters,
  open: async (options) => {
    const { openRuntimeDevice } = await import("./runtime.js");
    return openRuntimeDevice(
      {
        name: "webgpu",
        providers: ["webgpu", "cpu"],
        ...TRAITS,
        ifAbsent:
          "A graphics card and its driver for Vulkan, Metal or Direct3D 12 are needed (Debian, Ubuntu: apt install " +
          "libvulkan1, for AMD and Intel mesa-vulkan-drivers too; NVIDIA's driver brings its own). " +
          "Or use the device cpu.",
      },
      options,
    );
  },
};
