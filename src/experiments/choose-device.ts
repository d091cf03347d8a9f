import { sourceOfModel } from "../answer/index.js";
import { messageOf } from "../base/errors.js";
import { gigabytes } from "../base/memory.js";
import { type Adapter, adapterOf, type DeviceName, openDevice } from "../graph/index.js";
import { checkFits, openConfig } from "../models/index.js";
import { savedModelOf } from "../record/index.js";
import type { ExperimentConfiguration, FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { type LongestRow, planFor, plannedMemory } from "./device-needs.js";
import { SAMPLE } from "./sample.js";

/** A device that was chosen, and why. */
export interface ChosenDevice {
  readonly device: DeviceName;
  readonly why: string;
}

/** The longest rows that a configuration lets through. */
export const longestRow = ({ filter, maxLength, target }: FinetuneConfiguration): LongestRow => ({
  input: Math.min(maxLength, filter.maxTokens),
  target: target.addEosToken ? 2 : 1,
});

/** A card in words: name, driver, memory. */
export function describeAdapter({ name, driver, memory, free, software }: Adapter): string {
  const facts = [
    ...(software ? ["a driver in software, for tests"] : []),
    ...(driver === undefined ? [] : [`driver ${driver}`]),
    ...(memory === undefined || software ? [] : [gigabytes(memory)]),
    ...(free === undefined ? [] : [`${gigabytes(free)} free`]),
  ];
  return facts.length > 0 ? `${name} (${facts.join(", ")})` : name;
}

/**
 * Where something runs best: on a GPU that can be opened and whose memory does not tell against it, else on the CPU.
 * @param fits throws where it does not fit on the GPU
 */
export async function chooseDevice(
  fits: (device: DeviceName, adapter: Adapter) => Promise<unknown> = async () => {},
): Promise<ChosenDevice> {
  const gpu = "webgpu";
  const adapter = await adapterOf(gpu);
  const cpu = (why: string): ChosenDevice => ({ device: "cpu", why });
  if (!adapter) return cpu("the system tells of no GPU");
  if (adapter.software) return cpu(`${adapter.name} is a driver in software`);
  try {
    await (await openDevice(gpu)).close();
    await fits(gpu, adapter);
  } catch (error) {
    return cpu(`${describeAdapter(adapter)}: ${messageOf(error)}`);
  }
  return { device: gpu, why: describeAdapter(adapter) };
}

/** The configuration with a device in the place of `auto`. */
export async function withChosenDevice<C extends ExperimentConfiguration>(
  configuration: C,
  { progress, offline, signal }: RunContext,
): Promise<C> {
  const told = ({ device, why }: ChosenDevice): DeviceName => {
    progress.say(`--device auto chose ${device}: ${why}`);
    return device;
  };
  if (configuration.kind === "evaluate" && configuration.answerer.device === "auto") {
    const { model, revision, quantization, doubleQuantization } = configuration.answerer;
    const options = { revision, offline, progress, signal };
    const held = quantization ? { kind: quantization, doubleQuantization } : undefined;
    const chosen = await chooseDevice((device, adapter) =>
      checkFits(savedModelOf(sourceOfModel(model)), device, adapter, { ...options, quantization: held }),
    );
    return { ...configuration, answerer: { ...configuration.answerer, device: told(chosen) } };
  }
  if (configuration.kind === "finetune" && configuration.device === "auto") {
    const { source, revision } = configuration.model;
    const chosen = await chooseDevice(async (device, adapter) => {
      if (source === SAMPLE) return;
      const config = await openConfig(source, { revision, offline, progress, signal });
      await planFor(configuration, config, device, longestRow(configuration), plannedMemory(configuration, adapter));
    });
    return { ...configuration, device: told(chosen) };
  }
  return configuration;
}
