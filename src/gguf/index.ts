/**
 * GGUF files, as llama.cpp and LM Studio have them: the container, its kinds of tensors, the tokenizer inside; read and
 * written.
 *
 * ```ts
 * import { quantize } from "mmmlu-lab/gguf";
 *
 * console.log(quantize(new Float32Array(32).fill(0.5), "Q8_0"));
 * ```
 *
 * @module
 */

export { GgufFile, partCount } from "./file.js";
export type { GgufTensor } from "./header.js";
export { KINDS, type Kind } from "./kinds.js";
export { MetadataReader } from "./metadata.js";
export { fetchGguf, type GgufPlaceOptions, isGguf } from "./place.js";
export { quantize, WRITTEN_KINDS, type WrittenKind } from "./quantize.js";
export { tokenizerFolder, tokenizerFolderOf } from "./tokenizer/folder.js";
export { ENDS_BY_NAME, readTokenizer, type TokenizerFiles } from "./tokenizer/read.js";
export { type TokenizerToWrite, tokenizerMetadata } from "./tokenizer/write.js";
export { type GgufTensorToWrite, type WrittenValue, writeGguf } from "./write.js";
