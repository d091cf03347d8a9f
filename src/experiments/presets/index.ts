import type { ExperimentConfiguration } from "../configuration.js";
import { eda } from "./eda.js";
import { flanT5Finetune } from "./flan-t5-finetune.js";
import { gemma2Finetune } from "./gemma-2-2b-finetune.js";
import { gemma3Baseline } from "./gemma-3-27b-baseline.js";

/** The four experiments, in the order in which they are told. */
export const presets: readonly ExperimentConfiguration[] = [eda, flanT5Finetune, gemma2Finetune, gemma3Baseline];
