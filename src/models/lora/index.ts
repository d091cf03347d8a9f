export { adaptedLayers, adapterWeightName, addLora } from "./add.js";
export { mergeAdapters, mergeInto } from "./merge.js";
export { type MergeOptions, mergeAdapterFolder } from "./merge-folder.js";
export { baseOf, isAdapterFolder, loadAdapter, readAdapterSettings, saveAdapter } from "./peft.js";
