/** Models: T5 and Gemma 2, adapters, 4-bit weights, generation, checkpoints in Hugging Face's and PEFT's formats. */

export { type ConfigFile, type ModelType, readConfigFile, SUPPORTED_MODELS } from "./config-file.js";
export type { Gemma2Config } from "./gemma2/config.js";
export { createTinyGemma2, type TinyGemma2Options, tinyGemma2Config } from "./gemma2/create.js";
export { Gemma2Model } from "./gemma2/gemma2.js";
export { gemma2FromCheckpoint, type LoadGemma2Options, loadGemma2 } from "./gemma2/load.js";
export type { Generated, GeneratedToken, GenerateOptions, LocalModel, TokenLogProbability, Turn } from "./generate.js";
export { largest, logProbabilities, logSumExp } from "./generate.js";
export { LanguageModel, type LanguageModelConfig, type ModelFiles, type SavedAs } from "./language-model.js";
export { type Checkpoint, isFolder, type OpenCheckpointOptions, openCheckpoint } from "./load.js";
export * from "./lora/index.js";
export type { Example, GradientOptions, Parameter, SummedLoss, TrainableModel } from "./model.js";
export {
  leastBytesEach,
  type ModelOptions,
  modelFromCheckpoint,
  type OpenedModel,
  type OpenModelOptions,
  openModel,
  storeLinearLayers,
} from "./open-model.js";
export * from "./quantize/index.js";
export { Random } from "./random.js";
export { SafetensorsFile, type StoredTensor } from "./safetensors.js";
export { type ModelToSave, saveModelFolder, TOKENIZER_FILES } from "./save.js";
export type { T5Config } from "./t5/config.js";
export { createT5, createTinyT5, type TinyT5Options, tinyT5Config } from "./t5/create.js";
export { type LoadT5Options, loadT5, t5FromCheckpoint } from "./t5/load.js";
export { T5Model } from "./t5/t5.js";
export { type Adapter, isDecayed, type LoraSettings, makeParameter, type StoredWeight, Weights } from "./weights.js";
export { type TensorToWrite, writeSafetensors, writeShardedSafetensors } from "./write-safetensors.js";
