import { differences } from "../../base/differences.js";
import { presets } from "../presets/index.js";
import { picked } from "./key.js";
import { type ExperimentConfiguration, schemaOf } from "./schema.js";

/** Where a configuration's protocol is not its preset's, key by key; and what of ours differs from the published runs in any case. */
export function protocolDifferences(configuration: ExperimentConfiguration): string[] {
  const preset =
    presets.find((one) => one.name === configuration.name) ??
    presets.find((one) => one.kind === configuration.kind && kindKey(one) === kindKey(configuration));
  const changed = preset
    ? differences(protocolOf(preset), protocolOf(configuration)).map(
        ({ path, before, after }) => `${path}: ${JSON.stringify(after)}, published ${JSON.stringify(before)}`,
      )
    : ["there is no published run of this experiment"];
  return [...changed, ...standing[configuration.kind === "finetune" ? configuration.prompt : configuration.kind]!];
}

const kindKey = (one: ExperimentConfiguration): string => (one.kind === "finetune" ? one.prompt : one.kind);

/** What differs from the published runs whatever the configuration says. */
const standing: Record<string, readonly string[]> = {
  explore: [],
  evaluate: [],
  "flan-t5": [
    "Rows are packed without padding; losses and gradients are the same as with it.",
    "Dropout masks come from another generator than torch's: the same in distribution, not in each number.",
  ],
  "gemma-2": [
    "Rows are packed without padding and logits are computed only where there is a label; losses and gradients are the same.",
    "Arithmetic is float32 throughout; the published run computed 4-bit products in bfloat16.",
    "Dropout masks come from another generator than torch's.",
  ],
};

const protocolOf = (configuration: ExperimentConfiguration): Record<string, unknown> =>
  picked(schemaOf(configuration.kind), configuration, ({ protocol }) => protocol !== false);
