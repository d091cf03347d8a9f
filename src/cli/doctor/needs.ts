import { type ExperimentConfiguration, presets } from "../../experiments/index.js";

/** Bytes that the published experiments fetch from the hub. */
const DOWNLOADS: Readonly<Record<string, number>> = {
  eda: 131e6,
  "flan-t5-finetune": 1.0e9,
  "gemma-2-2b-finetune": 10.5e9,
  "gemma-3-27b-baseline": 36e6,
};

export interface Need {
  readonly experiment: string;
  readonly download: number;
  readonly repositories: readonly { readonly name: string; readonly type: "dataset" | "model" }[];
}

/** Each published experiment's needs: its own repositories of the hub follow from its configuration. */
export const needs: readonly Need[] = presets.map((preset) => ({
  experiment: preset.name,
  download: DOWNLOADS[preset.name] ?? 0,
  repositories: repositoriesOf(preset),
}));

function repositoriesOf(configuration: ExperimentConfiguration): Need["repositories"] {
  const models = [
    configuration.tokenizer.source,
    ...(configuration.kind === "finetune" ? [configuration.model.source] : []),
    ...(configuration.kind === "explore" ? configuration.furtherTokenizers.map(({ source }) => source) : []),
  ];
  return [
    { name: configuration.data.source, type: "dataset" },
    ...[...new Set(models)].map((name) => ({ name, type: "model" as const })),
  ];
}
