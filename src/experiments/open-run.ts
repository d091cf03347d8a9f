import { RunFolder } from "../record/index.js";
import { decidingKeys, identityOf } from "./configuration/identity.js";
import { migrated } from "./configuration/renames.js";
import { type ExperimentConfiguration, experimentSchema } from "./configuration/schema.js";

/**
 * Opens or makes the folder of an experiment's run, `outputs/<name>` unless another is given.
 * @throws {UserError} as {@link RunFolder.open} does
 */
export const openRun = (
  configuration: ExperimentConfiguration,
  { out, fresh }: { readonly out?: string; readonly fresh?: boolean },
): Promise<RunFolder> =>
  RunFolder.open(out ?? `outputs/${configuration.name}`, configuration.name, configuration, identityOf(configuration), {
    fresh,
    deciding: (stored) => {
      const read = experimentSchema.safeParse(migrated(stored).configuration);
      return read.success ? decidingKeys(read.data) : stored;
    },
  });
