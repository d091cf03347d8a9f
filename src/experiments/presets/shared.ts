import { LANGUAGES, mmmlu as task } from "../../tasks/index.js";
import type { EvaluateConfiguration, ExperimentConfiguration, FinetuneConfiguration } from "../configuration/schema.js";

/** What the presets share: said once here. */
export const mmmlu = (languages: readonly string[] = LANGUAGES): ExperimentConfiguration["data"] => ({
  source: task.hub.repository,
  task: null,
  columns: null,
  revision: null,
  languages: [...languages],
  rowsPerLanguage: null,
  limit: null,
  trainFrom: null,
});

export const germanAndFrench = ["DE_DE", "FR_FR"] as const;

export const untracked = (project: string): ExperimentConfiguration["tracking"] => ({
  wandb: "disabled",
  tensorboard: false,
  project,
});

export const publishedSplit: FinetuneConfiguration["split"] = { kind: "published", shape: "80/10/10", seed: 42 };

export const adamW = {
  weightDecay: 0,
  adamBetas: [0.9, 0.999] as [number, number],
  adamEpsilon: 1e-8,
  maxGradNorm: 1,
  dropout: null,
  seed: 42,
  epochs: 2,
  maxSteps: null,
  earlyStoppingPatience: null,
};

/** How a model is asked, where a protocol says nothing else. */
export const asked = {
  endpoint: null,
  protocol: "published",
  template: null,
  systemMessage: null,
  shots: 0,
  shotSource: null,
  shotLanguage: "row",
  shotsFrom: null,
  permutations: 1,
  repeats: 1,
  instruction: "english",
  logprobs: false,
  timeoutSeconds: 600,
  maxRetries: 6,
  seed: 42,
  revision: null,
  device: null,
  quantization: null,
  doubleQuantization: false,
  chatTemplate: null,
} as const satisfies Partial<EvaluateConfiguration["answerer"]>;
