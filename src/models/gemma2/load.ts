import { UserError } from "../../base/errors.js";
import { memoryFree } from "../../base/memory.js";
import { type Progress, silent } from "../../base/progress.js";
import type { Device } from "../../graph/index.js";
import { bfloat16Weight } from "../bfloat16-weight.js";
import { SUPPORTED_MODELS } from "../config-file.js";
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from "../load.js";
import type { WeightStore } from "../quantize/index.js";
import { makeParameter, Weights } from "../weights.js";
import { EMBEDDING, type Gemma2Config, gemma2WeightShapes, parseGemma2Config } from "./config.js";
import { Gemma2Model } from "./gemma2.js";

export interface LoadGemma2Options {
  /** Takes each linear layer's weight as it is read; without it they are held as float32. */
  readonly store?: WeightStore;
  /** Whether the model's own weights stay as they are: a table stored as bfloat16 is then held so (on the CPU). */
  readonly frozen?: boolean;
  /**
   * Whether frozen matrices stored as bfloat16 are held so too (on the CPU): as exact in half the memory, but expanded by every
   * product. Unless given, where float32 would take most of the memory that is free.
   */
  readonly compact?: boolean;
  readonly progress?: Progress;
}

/**
 * Loads Gemma 2 from a folder or hub id. One tensor is held twice at a time: as read, and as it will be held.
 * @throws {UserError} where it is no Gemma 2, or a weight is missing or has another shape than config.json says
 */
export async function loadGemma2(
  source: string,
  device: Device,
  options: LoadGemma2Options & OpenCheckpointOptions = {},
): Promise<Gemma2Model> {
  const checkpoint = await openCheckpoint(source, options);
  try {
    return await gemma2FromCheckpoint(checkpoint, device, options);
  } finally {
    await checkpoint.close();
  }
}

/** Models that chat may end a turn with a token that generation_config.json alone names; transformers' `generate` goes by it too. */
function withEndTokens(config: Gemma2Config, generation: Checkpoint["generationConfig"]): Gemma2Config {
  const ends = [generation?.["eos_token_id"] ?? []].flat().filter((token): token is number => Number.isInteger(token));
  return ends.length > 0 ? { ...config, endTokens: ends } : config;
}

/** Share of the free memory that float32 weights may take before they are held in less. */
const MOST = 0.7;

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** As {@link loadGemma2}, from a checkpoint that is open already (and stays open). */
export async function gemma2FromCheckpoint(
  checkpoint: Checkpoint,
  device: Device,
  { store, frozen = store !== undefined, compact, progress = silent }: LoadGemma2Options = {},
): Promise<Gemma2Model> {
  if (checkpoint.config.modelType !== "gemma2")
    throw new UserError(`${checkpoint.source} is ${SUPPORTED_MODELS[checkpoint.config.modelType]}, not Gemma 2`);
  const config = withEndTokens(parseGemma2Config(checkpoint.config), checkpoint.generationConfig);
  const shapes = gemma2WeightShapes(config);
  // Every shape is checked before gigabytes are read.
  for (const [name, shape] of shapes) checkpoint.weights.entry(name, shape);
  const asStored = (name: string): boolean =>
    frozen && device.name === "cpu" && checkpoint.weights.entry(name).type === "BF16";
  const stays =
    !store &&
    (compact ??
      4 * [...shapes].reduce((sum, [name, shape]) => sum + (name === EMBEDDING ? 0 : elementsOf(shape)), 0) >
        MOST * memoryFree());
  const weights = new Weights(device);
  let table: Uint16Array | undefined;
  /** Where a matrix stands until it is stored. */
  let memory = new Float32Array(0);
  progress.begin(store ? "loading and quantizing weights" : "loading weights", shapes.size);
  let done = 0;
  for (const [name, shape] of shapes) {
    if (name === EMBEDDING && asStored(name)) {
      const bytes = await checkpoint.weights.readBytes(name);
      table = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    } else if (shape.length === 2 && stays && asStored(name)) {
      weights.addStored(
        name,
        bfloat16Weight(device, shape as [number, number], await checkpoint.weights.readBytes(name)),
      );
    } else if (store && shape.length === 2 && name !== EMBEDDING) {
      if (memory.length < elementsOf(shape)) memory = new Float32Array(elementsOf(shape));
      weights.addStored(
        name,
        await store(name, shape as [number, number], await checkpoint.weights.readFloat32(name, shape, memory), device),
      );
    } else
      weights.add(await makeParameter(device, name, shape, await checkpoint.weights.readFloat32(name, shape), !frozen));
    progress.update(++done, name);
    // A long read must not keep Ctrl-C waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress.end();
  return new Gemma2Model(weights, config, table, {
    config: checkpoint.config,
    generationConfig: checkpoint.generationConfig,
    tokenizer: checkpoint.tokenizerFiles,
  });
}
