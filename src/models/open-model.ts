import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../base/errors.js";
import { gigabytes, memoryFree } from "../base/memory.js";
import { type Adapter, adapterOf, type Device, type DeviceName, elementCount } from "../graph/index.js";
import type { ArchitectureLoadOptions } from "./architecture.js";
import { architectureOf } from "./architectures/index.js";
import { unappliedGeneration } from "./generation-config.js";
import type { LanguageModel } from "./language-model.js";
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint, openConfig } from "./load.js";
import { baseOf, isAdapterFolder, loadAdapter, openBase, quantizationFor, readAdapterSettings } from "./lora/index.js";
import { type QuantizationOptions, weightStore } from "./quantize/index.js";

/** A model of any supported architecture, with where it came from. */
export interface OpenedModel {
  readonly model: LanguageModel;
  /** The folder of its files; the tokenizer's are among them. */
  readonly folder: string;
  /** The hub's commit; undefined for a folder. */
  readonly commit?: string;
  /** How its linear layers are held. */
  readonly quantization: QuantizationOptions;
}

export interface OpenModelOptions extends OpenCheckpointOptions {
  /**
   * How linear layers are held; unless given, as when the adapter was trained where its folder tells that, else `none`.
   */
  readonly quantization?: QuantizationOptions;
  /** Hub id or folder of the base instead of the one that an adapter names. */
  readonly base?: string;
}

/**
 * Opens a model by its folder, hub id, or an adapter's folder. An adapter that was trained on quantized weights gets
 * such weights again where its folder tells it (`training_environment.json`): on others it would give other answers
 * than were measured.
 * @throws {UserError} where there is none, its architecture or quantization is not supported, or its weights cannot fit
 */
export async function openModel(place: string, device: Device, options: OpenModelOptions = {}): Promise<OpenedModel> {
  const adapter = isAdapterFolder(place) ? await readAdapterSettings(place) : undefined;
  if (!adapter && options.base !== undefined)
    throw new UserError(`${place} is no adapter: it has no base`, { hint: "Leave the base out." });
  const chosen = adapter && (await quantizationFor(place, options.quantization));
  if (chosen) options.progress?.say(chosen.why);
  const quantization = chosen?.quantization ?? options.quantization ?? { kind: "none" };
  // Before gigabytes are fetched: whether the device has it.
  weightStore(quantization, device);
  const reading = { ...options, torchDtype: chosen?.torchDtype ?? options.torchDtype };
  const checkpoint = await (adapter ? openBase(place, adapter, reading) : openCheckpoint(place, reading));
  try {
    const held = { frozen: true, quantization, progress: options.progress };
    const needed = checkpoint.weights.elements * leastBytesEach(checkpoint, device, held);
    const free = await memoryOf(device);
    checkFree(checkpoint.source, needed, free, device.memory === "host" ? "" : ` on ${device.name}`, quantization);
    const model = await modelFromCheckpoint(checkpoint, device, held);
    if (adapter) await loadAdapter(model.weights, place);
    return {
      model,
      folder: adapter && existsSync(join(place, "tokenizer.json")) ? place : checkpoint.folder,
      commit: checkpoint.commit,
      quantization,
    };
  } finally {
    await checkpoint.close();
  }
}

/**
 * Whether a model can be answered with by a device with memory of its own, told by its configuration alone.
 * @param adapter the card that the device takes
 * @throws {UserError} where its weights cannot fit, or the device has no products of their kind
 */
export async function checkFits(
  place: string,
  name: DeviceName,
  adapter: Pick<Adapter, "free" | "memory">,
  options: OpenModelOptions = {},
): Promise<void> {
  const settings = isAdapterFolder(place) ? await readAdapterSettings(place) : undefined;
  const chosen = settings && (await quantizationFor(place, options.quantization));
  const quantization = chosen?.quantization ?? options.quantization ?? { kind: "none" };
  weightStore(quantization, { name });
  const { base, revision } = settings ? baseOf(settings, options) : { base: place, revision: options.revision };
  if (!base) return;
  const config = await openConfig(base, { ...options, revision });
  const elements = [...architectureOf(config).weightShapes(config).values()].reduce(
    (sum, shape) => sum + elementCount(shape),
    0,
  );
  const free = adapter.free ?? adapter.memory;
  checkFree(base, elements * (BYTES[quantization.kind] ?? 4), free, ` on ${name}`, quantization);
}

/** Bytes of a quantized weight. */
const BYTES: Readonly<Partial<Record<QuantizationOptions["kind"], number>>> = { fp4: 0.5, nf4: 0.5, int8: 1 };

function checkFree(
  source: string,
  needed: number,
  free: number | undefined,
  where: string,
  { kind }: QuantizationOptions,
): void {
  if (free === undefined || needed <= free) return;
  throw new UserError(`${source} needs ${gigabytes(needed)} for its weights, and ${gigabytes(free)} is free${where}`, {
    hint:
      kind === "none"
        ? "Quantized weights take less: --quantization fp4 or int8."
        : "Take a smaller model, or a machine with more memory.",
  });
}

export interface ModelOptions extends Omit<ArchitectureLoadOptions, "store"> {
  readonly quantization?: QuantizationOptions;
  /** Whether 4-bit weights are written out as float32 once, on a device with memory enough. */
  readonly expanded?: boolean;
}

/**
 * Bytes that a weight takes at the least as {@link modelFromCheckpoint} will hold it: frozen bfloat16 weights may stay
 * so.
 */
export function leastBytesEach(
  { config, weights }: Checkpoint,
  device: Device,
  { quantization = { kind: "none" }, frozen }: ModelOptions,
): number {
  const quantized = BYTES[quantization.kind];
  if (quantized !== undefined) return quantized;
  return architectureOf(config).keepsBfloat16 &&
    frozen &&
    device.memory === "host" &&
    weights.torchDtype === "float32" &&
    weights.names.every((name) => weights.entry(name).type === "BF16")
    ? 2
    : 4;
}

/** A model of the checkpoint's architecture, its linear layers held as the quantization says. */
export async function modelFromCheckpoint(
  checkpoint: Checkpoint,
  device: Device,
  { quantization, expanded, ...options }: ModelOptions = {},
): Promise<LanguageModel> {
  const unapplied = unappliedGeneration(checkpoint.generationConfig);
  if (unapplied) options.progress?.say(unapplied);
  const store = quantization && weightStore(quantization, device, { expanded });
  return architectureOf(checkpoint.config).fromCheckpoint(checkpoint, device, { ...options, store });
}

/** Bytes that weights may take: of the machine, or of a card where the system tells them. */
async function memoryOf({ memory, name }: Device): Promise<number | undefined> {
  if (memory === "host") return memoryFree();
  const adapter = await adapterOf(name);
  return adapter?.software ? undefined : (adapter?.free ?? adapter?.memory);
}
