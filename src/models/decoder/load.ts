import { memoryFree } from "../../base/memory.js";
import { silent } from "../../base/progress.js";
import type { Device } from "../../graph/index.js";
import { elementCount } from "../../graph/index.js";
import type { ArchitectureLoadOptions } from "../architecture.js";
import { bfloat16Weight } from "../bfloat16-weight.js";
import type { CheckpointWeights } from "../checkpoint-weights.js";
import type { ConfigFile } from "../config-file.js";
import { withEndTokens } from "../generation-config.js";
import type { Checkpoint } from "../load.js";
import { type ShapeOptions, weightsOfShape } from "../model-shape.js";
import { checkReach, exceeds } from "../reach.js";
import { makeParameter, Weights } from "../weights.js";
import { type DecoderConfig, parseDecoderConfig } from "./config.js";
import { DecoderModel } from "./decoder.js";
import type { DecoderDescription } from "./description.js";
import { storedNames } from "./stored-names.js";
import type { FrozenTable } from "./table.js";
import { textConfig } from "./text-config.js";
import { decoderWeightShapes, embeddingName, isTable, OUTPUT } from "./weight-shapes.js";

/**
 * As transformers 5 does, an output layer that is there and differs from the embedding is not tied to it, whatever
 * config.json says.
 */
export async function isTied(
  config: DecoderConfig,
  stored: CheckpointWeights,
  place: (name: string) => string,
): Promise<boolean> {
  if (!config.tieWordEmbeddings || !stored.has(place(OUTPUT))) return config.tieWordEmbeddings;
  const [output, embedding] = [place(OUTPUT), place(embeddingName(config))];
  const shape = [config.vocabSize, config.hiddenSize];
  stored.entry(output, shape);
  stored.entry(embedding, shape);
  return stored.same(output, embedding);
}

/** A frozen table lies on a device in stretches where it has to. */
const checkWeights = (shapes: ReadonlyMap<string, readonly number[]>, frozen: boolean, device: Device): void =>
  checkReach(shapes, device, {
    inStretches: (name) => frozen && isTable(name),
    hint: (name) =>
      isTable(name)
        ? "Train adapters alone (lora), which leave the table as it is, or use --device cpu."
        : "Use --device cpu.",
  });

/** Share of the free memory that float32 weights may take before they are held in less. */
const MOST = 0.7;

/** The model of a checkpoint. One tensor is held twice at a time: as read, and as it will be held. */
export async function decoderFromCheckpoint(
  description: DecoderDescription,
  checkpoint: Checkpoint,
  device: Device,
  { store, frozen = store !== undefined, compact, progress = silent }: ArchitectureLoadOptions = {},
): Promise<DecoderModel> {
  const parsed = withEndTokens(parseDecoderConfig(checkpoint.config, description), checkpoint.generationConfig);
  const stored = checkpoint.weights;
  const place = storedNames(stored, decoderWeightShapes(parsed).keys(), description);
  const config = { ...parsed, tieWordEmbeddings: await isTied(parsed, stored, place) };
  const shapes = decoderWeightShapes(config);
  // Every shape is checked before gigabytes are read.
  for (const [name, shape] of shapes) stored.entry(place(name), shape);
  const asStored = (name: string): boolean =>
    frozen && stored.torchDtype === "float32" && stored.entry(place(name)).type === "BF16";
  const stays =
    !store &&
    (compact ??
      4 * [...shapes].reduce((sum, [name, shape]) => sum + (isTable(name) ? 0 : elementCount(shape)), 0) >
        MOST * memoryFree());
  checkWeights(shapes, frozen, device);
  const weights = new Weights(device, stored.torchDtype);
  const tables = new Map<string, FrozenTable>();
  /** Where a matrix stands until it is stored. */
  let memory = new Float32Array(0);
  progress.begin(store ? "loading and quantizing weights" : "loading weights", shapes.size);
  let done = 0;
  for (const [name, shape] of shapes) {
    if (isTable(name) && asStored(name)) {
      tables.set(name, { type: "bfloat16", words: await stored.readBfloat16(place(name)) });
    } else if (isTable(name) && frozen && stored.torchDtype === "float16") {
      tables.set(name, { type: "float16", words: await stored.readFloat16(place(name)) });
    } else if (isTable(name) && frozen && exceeds(shape, device)) {
      tables.set(name, { type: "float32", words: await stored.readFloat32(place(name), shape) });
    } else if (shape.length === 2 && stays && device.memory === "host" && asStored(name)) {
      weights.addStored(
        name,
        bfloat16Weight(device, shape as [number, number], await stored.readBfloat16(place(name))),
      );
    } else if (store && shape.length === 2 && !isTable(name)) {
      if (memory.length < elementCount(shape)) memory = new Float32Array(elementCount(shape));
      weights.addStored(
        name,
        await store(name, shape as [number, number], await stored.readFloat32(place(name), shape, memory), device),
      );
    } else weights.add(await makeParameter(device, name, shape, await stored.readFloat32(place(name), shape), !frozen));
    progress.update(++done, name);
    // A long read must not keep Ctrl-C waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress.end();
  return new DecoderModel(weights, config, description, tables, {
    config: { ...checkpoint.config, json: textConfig(checkpoint.config, description).json },
    generationConfig: checkpoint.generationConfig,
    tokenizer: checkpoint.tokenizerFiles,
  });
}

/** See `Architecture.ofShape`. */
export async function decoderOfShape(
  description: DecoderDescription,
  file: Pick<ConfigFile, "path" | "json">,
  device: Device,
  options: ShapeOptions = {},
): Promise<DecoderModel> {
  const { frozen = false, torchDtype } = options;
  const config = parseDecoderConfig(file, description);
  const shapes = decoderWeightShapes(config);
  checkWeights(shapes, frozen, device);
  const tables = new Map<string, FrozenTable>();
  if (frozen)
    for (const name of [...shapes.keys()].filter(isTable)) {
      tables.set(name, { type: torchDtype === "float16" ? "float16" : "bfloat16", words: new Uint16Array(0) });
      shapes.delete(name);
    }
  return new DecoderModel(await weightsOfShape(device, shapes, options), config, description, tables);
}
