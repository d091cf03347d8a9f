/**
 * Models: T5 and the decoder-only architectures, adapters, 4-bit weights, generation, checkpoints in Hugging Face's and
 * PEFT's formats.
 *
 * ```ts
 * import { openDevice } from "mmmlu-lab/graph";
 * import { createTinyT5 } from "mmmlu-lab/models";
 *
 * const device = await openDevice("cpu");
 * const model = await createTinyT5(device, { vocabSize: 100 }, 1);
 * const [reply] = await model.generate([[5, 6, 7, 1]], { maximumNewTokens: 3 });
 * console.log(reply?.tokens);
 * await model.dispose();
 * await device.close();
 * ```
 *
 * @module
 */

export { WRITTEN_KINDS, type WrittenKind } from "../gguf/index.js";
export type { Architecture, ArchitectureLoadOptions, TextFormat } from "./architecture.js";
export { gemma2 } from "./architectures/gemma2.js";
export { gemma3 } from "./architectures/gemma3.js";
export { ARCHITECTURES, architectureOf } from "./architectures/index.js";
export { llama } from "./architectures/llama.js";
export { qwen2 } from "./architectures/qwen2.js";
export { qwen3 } from "./architectures/qwen3.js";
export { t5 } from "./architectures/t5.js";
export type { TorchDtype } from "./checkpoint-weights.js";
export { type ConfigFile, readConfigFile } from "./config-file.js";
export type { DecoderConfig, LayerType } from "./decoder/config.js";
export { createTinyDecoder, type TinyDecoderOptions, tinyDecoderConfig } from "./decoder/create.js";
export { DecoderModel } from "./decoder/decoder.js";
export { type DecoderArchitecture, decoderOnly } from "./decoder/decoder-only.js";
export type { DecoderDescription } from "./decoder/description.js";
export { describeModel, type ModelDescription } from "./describe-model.js";
export type { Generated, GeneratedToken, GenerateOptions, LocalModel, TokenLogProbability, Turn } from "./generate.js";
export { largest, logProbabilities, logSumExp } from "./generate.js";
export { type ExportedGguf, type ExportGgufOptions, exportGguf } from "./gguf/export.js";
export { LanguageModel, type LanguageModelConfig, type ModelFiles, type SavedAs } from "./language-model.js";
export { type License, licenseOf } from "./license.js";
export { type Checkpoint, isFolder, type OpenCheckpointOptions, openCheckpoint, openConfig } from "./load.js";
export { type LoadModelOptions, loadDecoder, loadModel, loadT5 } from "./load-model.js";
export * from "./lora/index.js";
export {
  type Example,
  type GradientOptions,
  type Parameter,
  type PendingLoss,
  readLoss,
  type SeededRows,
  type SummedLoss,
  type TrainableModel,
} from "./model.js";
export { type ExportedOnnx, type ExportOnnxOptions, exportOnnx } from "./onnx/export.js";
export { ONNX_TYPES, type OnnxType } from "./onnx/stored.js";
export {
  checkFits,
  leastBytesEach,
  type ModelOptions,
  modelFromCheckpoint,
  type OpenedModel,
  type OpenModelOptions,
  openModel,
} from "./open-model.js";
export * from "./quantize/index.js";
export { Random } from "./random.js";
export { SafetensorsFile, type StoredTensor } from "./safetensors.js";
export { type ModelToSave, saveModelFolder, TOKENIZER_FILES } from "./save.js";
export { describeSavedFolder, type SavedFolder } from "./saved-folder.js";
export type { T5Config } from "./t5/config.js";
export { createT5, createTinyT5, type TinyT5Options, tinyT5Config } from "./t5/create.js";
export { T5Model } from "./t5/t5.js";
export {
  type Adapter,
  isDecayed,
  type LoraSettings,
  linearLayersOf,
  makeParameter,
  NOT_DECAYED,
  type StoredWeight,
  Weights,
} from "./weights.js";
export { type TensorToWrite, writeSafetensors, writeShardedSafetensors } from "./write-safetensors.js";
