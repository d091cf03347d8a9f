/** The experiments that have a name, and others' protocols: one more is a file here and a line in this one. */
import type { ExperimentConfiguration, FinetuneConfiguration } from "../configuration/schema.js";
import { eda } from "./eda.js";
import type { Experiment, FinetuneProtocol } from "./experiment.js";
import { flanT5Finetune } from "./flan-t5-finetune.js";
import { gemma2Finetune } from "./gemma-2-2b-finetune.js";
import { gemma3Baseline } from "./gemma-3-27b-baseline.js";
import { gemma3SmallFinetune } from "./gemma-3-270m-finetune.js";
import { mmmluLmEval } from "./mmmlu-lm-eval.js";
import { mmmluSimpleEvals } from "./mmmlu-simple-evals.js";
import { qwen25SmallFinetune } from "./qwen2.5-0.5b-finetune.js";

export type { Experiment, FinalLosses, FinetuneProtocol, MeasuredRun, ReproducedFigure } from "./experiment.js";

/** By name, in the order in which they are listed. */
export const experiments = {
  eda,
  "flan-t5-finetune": flanT5Finetune,
  "gemma-2-2b-finetune": gemma2Finetune,
  "gemma-3-27b-baseline": gemma3Baseline,
  "mmmlu-lm-eval": mmmluLmEval,
  "mmmlu-simple-evals": mmmluSimpleEvals,
  "gemma-3-270m-finetune": gemma3SmallFinetune,
  "qwen2.5-0.5b-finetune": qwen25SmallFinetune,
} as const;

export const presets: readonly ExperimentConfiguration[] = Object.values(experiments).map(({ preset }) => preset);

/** Whether there is a published run of an experiment, and figures to hold its runs against. */
export const isPublished = (experiment: Experiment): boolean =>
  experiment.figures({ metrics: {}, manifest: {} }).length > 0;

/** Those of which a published run's figures are known. */
export const publishedPresets = (): ExperimentConfiguration[] =>
  presets.filter(({ name }) => isPublished(experiments[name as keyof typeof experiments]));

/** The experiment that a configuration started from; undefined where it is one of its own. */
export function experimentOf({
  extends: parent,
  name,
}: Pick<ExperimentConfiguration, "extends" | "name">): Experiment | undefined {
  // Configurations of version 0.1 kept no `extends`.
  const found = parent ?? name;
  return Object.hasOwn(experiments, found) ? experiments[found as keyof typeof experiments] : undefined;
}

/** What fine-tuning does beyond its configuration; nothing where it started from none with a name. */
export const finetuneProtocolOf = (configuration: FinetuneConfiguration): FinetuneProtocol =>
  experimentOf(configuration)?.finetune ?? {
    sampleModel: "t5",
    additionalExtractions: [],
    truncatesPrompts: false,
    measuresFinalLosses: false,
    finalMetrics: ({ accuracy }) => ({ final_test_accuracy: accuracy }),
  };
