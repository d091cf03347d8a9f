export { baseOf, isAdapterFolder, readAdapterSettings } from "./adapter-config.js";
export { addLora, addLoraShape } from "./add.js";
export { adapterWeightName } from "./matrices.js";
export { mergeAdapters, mergeInto } from "./merge.js";
export { adapterChanges, type MergeOptions, mergeAdapterFolder } from "./merge-folder.js";
export { type Change, type MergedWeights, mergedRows } from "./merged-rows.js";
export { openBase } from "./open-base.js";
export { loadAdapter, saveAdapter, writeAdapterStart } from "./peft.js";
export { adaptedLayers, type Target } from "./targets.js";
export {
  type ChosenQuantization,
  quantizationFor,
  quantizationText,
  readEnvironment,
  type TrainingEnvironment,
} from "./training-environment.js";
