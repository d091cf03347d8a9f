export { adaptedLayers, adapterWeightName, addLora } from "./add.js";
export { mergeAdapters, mergeInto } from "./merge.js";
export { baseOf, isAdapterFolder, loadAdapter, readAdapterSettings, saveAdapter } from "./peft.js";
export { mergeAdapterFolder, type MergeOptions } from "./merge-folder.js";
