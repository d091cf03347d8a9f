import { canonicalJson } from "../../base/canonical.js";
import { picked } from "./key.js";
import { byFormerNames } from "./renames.js";
import { type ExperimentConfiguration, schemaOf } from "./schema.js";

/**
 * A configuration without what cannot change a number: another folder is not needed where only these differ. The same in every
 * version: keys have the names that they had first, and a newer key counts only where it says something new.
 */
export function identityOf(configuration: ExperimentConfiguration): Record<string, unknown> {
  return byFormerNames(
    picked(
      schemaOf(configuration.kind),
      configuration,
      (facts, value) =>
        facts.identity !== false &&
        (facts.before === undefined || canonicalJson(facts.before) !== canonicalJson(value)),
    ),
  );
}
