import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { Experiment } from "./experiment.js";
import { gemma3SmallFinetune } from "./gemma-3-270m-finetune.js";

const name = "qwen2.5-0.5b-finetune";
const source = { source: "Qwen/Qwen2.5-0.5B", revision: null };

/** The same with weights that nobody has to ask for, and fewer steps of them: they are twice as many. */
export const qwen25SmallFinetune: Experiment<FinetuneConfiguration> = {
  ...gemma3SmallFinetune,
  downloadBytes: 1.0e9,
  preset: {
    ...gemma3SmallFinetune.preset,
    extends: name,
    name,
    description: "Qwen/Qwen2.5-0.5B with 4-bit QLoRA on German and French: sized for a laptop, no licence to accept",
    tokenizer: source,
    model: { ...gemma3SmallFinetune.preset.model, ...source },
    training: { ...gemma3SmallFinetune.preset.training, maxSteps: 125 },
  },
};
