import { type Experiment, type ExperimentConfiguration, experiments } from "../../experiments/index.js";

export interface Need {
  readonly experiment: string;
  /** Bytes, about; undefined where they are not known. */
  readonly download?: number;
  readonly repositories: readonly { readonly name: string; readonly type: "dataset" | "model" }[];
}

/** Each experiment's needs: its own repositories of the hub follow from its configuration. */
export const needs: readonly Need[] = Object.values<Experiment>(experiments).map(({ preset, downloadBytes }) => ({
  experiment: preset.name,
  download: downloadBytes,
  repositories: repositoriesOf(preset),
}));

function repositoriesOf(configuration: ExperimentConfiguration): Need["repositories"] {
  // An evaluation loads a tokenizer only where its filter counts tokens.
  const countsTokens = configuration.kind !== "evaluate" || configuration.filter !== null;
  const models = [
    ...(countsTokens ? [configuration.tokenizer.source] : []),
    ...(configuration.kind === "finetune" ? [configuration.model.source] : []),
    ...(configuration.kind === "explore" ? configuration.furtherTokenizers.map(({ source }) => source) : []),
  ];
  return [
    { name: configuration.data.source, type: "dataset" },
    ...[...new Set(models)].map((name) => ({ name, type: "model" as const })),
  ];
}
