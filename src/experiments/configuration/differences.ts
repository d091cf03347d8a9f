import { differences } from "../../base/differences.js";
import { experimentOf, isPublished } from "../presets/index.js";
import { picked } from "./key.js";
import { type ExperimentConfiguration, schemaOf } from "./schema.js";

/**
 * Where a configuration's protocol is not its preset's, key by key; and what differs from the published run in any
 * case.
 */
export function protocolDifferences(configuration: ExperimentConfiguration): string[] {
  const experiment = experimentOf(configuration);
  if (!experiment || (!isPublished(experiment) && experiment.deviations.length === 0))
    return ["there is no published run of this experiment"];
  return [...protocolChanges(configuration), ...experiment.deviations];
}

/** Where a configuration's protocol is not its preset's, key by key; nothing where there is none. */
export function protocolChanges(configuration: ExperimentConfiguration): string[] {
  const experiment = experimentOf(configuration);
  return experiment
    ? differences(protocolOf(experiment.preset), protocolOf(configuration)).map(
        ({ path, before, after }) => `${path}: ${JSON.stringify(after)}, published ${JSON.stringify(before)}`,
      )
    : [];
}

const protocolOf = (configuration: ExperimentConfiguration): Record<string, unknown> =>
  picked(schemaOf(configuration.kind), configuration, ({ protocol }) => protocol !== false);
