import { messageOf } from "../base/errors.js";
import { memoryFree } from "../base/memory.js";
import { type Adapter, adapterOf, DEVICES, type DeviceName } from "../graph/index.js";
import { longestRow } from "./choose-device.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import { type DeviceNeed, deviceNeed, type ModelConfig, memoryOf, planFor } from "./device-needs.js";
import { problemOf } from "./device-problem.js";
import { experiments } from "./presets/index.js";

/** What an experiment needs of a device, and whether that is there. */
export interface ExperimentFit {
  readonly experiment: string;
  /** What it needs as it would be run there; undefined where the device cannot be trained on at all. */
  readonly need?: Pick<DeviceNeed, "plan" | "memory" | "largest">;
  /** Undefined where the memory is not told. */
  readonly fits?: boolean;
  /** Why it does not, or cannot be told. */
  readonly why?: string;
}

/** A device as it is on this machine. */
export interface DeviceReport {
  readonly name: DeviceName;
  readonly summary: string;
  /** Whether it can be opened; if not, why. */
  readonly opens: boolean;
  readonly why?: string;
  /** What to do where it cannot. */
  readonly hint?: string;
  readonly adapters: readonly Adapter[];
  /** Bytes that may be taken; undefined where nobody tells. */
  readonly memory?: number;
  readonly bindingLimit?: number;
  readonly notForTraining?: string;
  readonly experiments: readonly ExperimentFit[];
}

/** Every device with what each published experiment that trains needs of it: nothing is loaded or fetched. */
export async function deviceReports(): Promise<DeviceReport[]> {
  const reports: DeviceReport[] = [];
  for (const { name, summary, notForTraining, adapters, needsAdapter, traits } of DEVICES) {
    const cards = (await adapters?.()) ?? [];
    const absent = needsAdapter && cards.length === 0;
    const problem = absent ? { message: "the system tells of no such card" } : await problemOf(name);
    const memory = traits?.memory === "host" ? memoryFree() : memoryOf(await adapterOf(name));
    const fits: ExperimentFit[] = [];
    if (!notForTraining)
      for (const { experiment, configuration, config } of trained())
        fits.push({ experiment, ...(await fitOf(name, configuration, config, memory)) });
    reports.push({
      name,
      summary,
      opens: problem === undefined,
      why: problem?.message,
      hint: problem?.hint,
      adapters: cards,
      memory,
      bindingLimit: traits?.bindingLimit,
      notForTraining,
      experiments: fits,
    });
  }
  return reports;
}

/** The published experiments that train a model whose configuration is known. */
function trained(): { experiment: string; configuration: FinetuneConfiguration; config: ModelConfig }[] {
  return Object.entries(experiments).flatMap(([experiment, { preset, finetune }]) => {
    if (preset.kind !== "finetune" || !finetune?.modelConfig) return [];
    const json = finetune.modelConfig;
    const path = `${preset.model.source}'s config.json`;
    return [{ experiment, configuration: preset, config: { path, json, modelType: String(json["model_type"]) } }];
  });
}

async function fitOf(
  name: DeviceName,
  configuration: FinetuneConfiguration,
  config: ModelConfig,
  memory: number | undefined,
): Promise<Omit<ExperimentFit, "experiment">> {
  const longest = longestRow(configuration);
  const least = await deviceNeed(configuration, config, name, longest);
  if (memory === undefined) return { need: least, why: "the system does not tell its memory" };
  if (name === "cpu")
    return least.memory <= memory
      ? { need: least, fits: true }
      : { need: least, fits: false, why: "too little memory" };
  try {
    return { need: await planFor(configuration, config, name, longest, memory), fits: true };
  } catch (error) {
    return { need: least, fits: false, why: messageOf(error) };
  }
}
