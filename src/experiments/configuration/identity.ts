import { canonicalJson } from "../../base/canonical.js";
import { picked } from "./key.js";
import { byFormerNames } from "./renames.js";
import { type ExperimentConfiguration, schemaOf } from "./schema.js";

/** The keys of a configuration that decide which run it is: those that can change a number. */
export const decidingKeys = (configuration: ExperimentConfiguration): Record<string, unknown> =>
  picked(
    schemaOf(configuration.kind),
    configuration,
    (facts, value) =>
      facts.identity !== false && (facts.before === undefined || canonicalJson(facts.before) !== canonicalJson(value)),
  );

/**
 * What identifies a run: its `decidingKeys`. Another folder is not needed where other keys differ. The same in every
 * version: keys have the names that they had first, and a newer key counts only where it says something new.
 */
export const identityOf = (configuration: ExperimentConfiguration): Record<string, unknown> =>
  byFormerNames(decidingKeys(configuration));
