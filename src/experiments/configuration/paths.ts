import { keysOf } from "./key.js";
import { schemas } from "./schema.js";

/** Every key that `--set` takes, of whatever kind of experiment, such as `training.epochs`. */
export const configurationPaths = (): string[] => [
  ...new Set(Object.values(schemas).flatMap((schema) => keysOf(schema).map(({ path }) => path))),
];
