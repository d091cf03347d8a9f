import { nvidiaCards } from "./adapters.js";
import type { DeviceDefinition } from "./definition.js";

/** The runtime's own CUDA provider, by a Node binding that keeps nothing in the card's memory. */
export const cuda: DeviceDefinition<"cuda"> = {
  name: "cuda",
  summary: "the runtime's CUDA provider, which needs its own files; inference only, and untested here",
  notForTraining: "onnxruntime-node copies all weights to the card and all gradients back at every run of it",
  int8Products: false,
  needsAdapter: true,
  adapters: () => nvidiaCards(process.env),
  open: async (options) => {
    const { openRuntimeDevice } = await import("./runtime.js");
    return openRuntimeDevice(
      {
        name: "cuda",
        providers: ["cuda", "cpu"],
        memory: "copied",
        missing: [],
        outputsInPlace: false,
        ifAbsent:
          "Fetch its files with `ONNXRUNTIME_NODE_INSTALL=cuda12 node " +
          "node_modules/onnxruntime-node/script/install`, and install CUDA 12 and cuDNN. Or use the device cpu.",
      },
      options,
    );
  },
};
