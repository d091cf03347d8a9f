/** Models: T5 and Gemma 2, adapters, 4-bit weights, generation, checkpoints in Hugging Face's and PEFT's formats. */
export type { Example, GradientOptions, Parameter, SummedLoss, TrainableModel } from "./model.js";
export { Weights, isDecayed, makeParameter, type Adapter, type StoredWeight } from "./weights.js";
export { openModel, type OpenedModel } from "./open-model.js";
export { Random } from "./random.js";
export { openCheckpoint, isFolder, type Checkpoint, type OpenCheckpointOptions } from "./load.js";
export { readConfigFile, SUPPORTED_MODELS, type ConfigFile, type ModelType } from "./config-file.js";
export { saveModelFolder, TOKENIZER_FILES, type ModelToSave } from "./save.js";
export { SafetensorsFile, type StoredTensor } from "./safetensors.js";
export { writeSafetensors, writeShardedSafetensors, type TensorToWrite } from "./write-safetensors.js";
export { largest, logSumExp } from "./generate.js";
export type { Generated, GeneratedToken, GenerateOptions, LocalModel, TokenLogProbability } from "./generate.js";
export { T5Model, type T5Files } from "./t5/t5.js";
export type { T5Config } from "./t5/config.js";
export { loadT5, t5FromCheckpoint, type LoadT5Options } from "./t5/load.js";
export { createT5, createTinyT5, tinyT5Config, type TinyT5Options } from "./t5/create.js";
