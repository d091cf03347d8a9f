import type { experiments } from "../presets/index.js";
import type { EvaluateConfiguration, ExploreConfiguration, FinetuneConfiguration } from "./schema.js";

/** The configurations of a kind. */
interface ConfigurationOf {
  readonly explore: ExploreConfiguration;
  readonly evaluate: EvaluateConfiguration;
  readonly finetune: FinetuneConfiguration;
}

/** Any part of a value: objects key by key, anything else (arrays too) whole. */
type Part<T> = T extends readonly unknown[] ? T : T extends object ? { [Key in keyof T]?: Part<T[Key]> } : T;

type Presets = { [Name in keyof typeof experiments]: (typeof experiments)[Name]["preset"] };

type Whole<C> = C extends unknown ? Omit<C, "extends"> & { extends?: null } : never;

/**
 * What a configuration file may hold: a part of an experiment and the preset that it starts from, or a whole
 * experiment.
 */
export type ExperimentFile =
  | {
      [Name in keyof Presets]: { extends: Name } & Part<Omit<ConfigurationOf[Presets[Name]["kind"]], "extends">>;
    }[keyof Presets]
  | Whole<ConfigurationOf[keyof ConfigurationOf]>;

/**
 * Gives a configuration file written in TypeScript or JavaScript its types, those of the kind of experiment that it
 * extends: `export default defineExperiment({ extends: "eda", subjectsDrawn: 20 })`. A key that there is not does not
 * compile.
 */
export function defineExperiment(experiment: ExperimentFile): ExperimentFile {
  return experiment;
}
