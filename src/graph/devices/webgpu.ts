import type { DeviceDefinition } from "./definition.js";

/** Dawn's limit on NVIDIA's cards, 2 GiB less one word: what lies beyond it of a larger array is not reached. */
const BINDING_LIMIT = 2 ** 31 - 4;

/** A GPU by Vulkan, Metal or Direct3D 12: arrays stay in its memory from run to run. */
export const webgpu: DeviceDefinition<"webgpu"> = {
  name: "webgpu",
  summary: "a GPU by Vulkan, Metal or Direct3D 12 (Linux x64, Windows, macOS); float32",
  int8Products: false,
  open: async (options) => {
    const { openRuntimeDevice } = await import("./runtime.js");
    return openRuntimeDevice(
      {
        name: "webgpu",
        providers: ["webgpu", "cpu"],
        memory: "device",
        missing: ["FusedMatMul", "LogSoftmax"],
        outputsInPlace: false,
        bindingLimit: BINDING_LIMIT,
        ifAbsent:
          "A Vulkan, Metal or Direct3D 12 driver is needed; without a GPU, SwiftShader serves for tests: " +
          "before starting, set VK_ICD_FILENAMES and VK_DRIVER_FILES to its vk_swiftshader_icd.json, and " +
          "LD_LIBRARY_PATH to the folder of libvulkan.so.1. Or use the device cpu.",
      },
      options,
    );
  },
};
