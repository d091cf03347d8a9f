import type { DeviceDefinition, DeviceTraits } from "./definition.js";

const TRAITS: DeviceTraits = { memory: "host", missing: [], outputsInPlace: true };

/** The machine's processor: arrays are computed on where they lie. */
export const cpu: DeviceDefinition<"cpu"> = {
  name: "cpu",
  summary: "the machine's processor; float32 and float64",
  int8Products: true,
  traits: TRAITS,
  open: async (options) => {
    const { openRuntimeDevice } = await import("./runtime.js");
    return openRuntimeDevice(
      {
        name: "cpu",
        providers: ["cpu"],
        ...TRAITS,
        ifAbsent: "Reinstall onnxruntime-node for this platform.",
      },
      options,
    );
  },
};
