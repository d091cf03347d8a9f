import type { ExperimentConfiguration } from "../configuration/schema.js";
import { eda } from "./eda.js";
import { flanT5Finetune } from "./flan-t5-finetune.js";
import { gemma2Finetune } from "./gemma-2-2b-finetune.js";
import { gemma3Baseline } from "./gemma-3-27b-baseline.js";

/** The four experiments by name, in the order in which they are told. */
export const presetByName = {
  eda,
  "flan-t5-finetune": flanT5Finetune,
  "gemma-2-2b-finetune": gemma2Finetune,
  "gemma-3-27b-baseline": gemma3Baseline,
} as const;

export const presets: readonly ExperimentConfiguration[] = Object.values(presetByName);
