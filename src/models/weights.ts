import { UserError } from "../base/errors.js";
import type { Device, DeviceArray, Value } from "../graph/index.js";
import type { TorchDtype } from "./checkpoint-weights.js";
import type { Parameter } from "./model.js";

/** How linear layers' weights are held. */
export interface QuantizationOptions {
  readonly kind: "none" | "fp4" | "nf4" | "int8";
  /** Whether the blocks' scales of fp4 and nf4 are quantized too. */
  readonly doubleQuantization?: boolean;
  /** Elements that share a scale; bitsandbytes' default is 64. */
  readonly blockSize?: number;
}

/** A linear layer's weight that is not held as float32: quantized, or stored in another type. Frozen. */
export interface StoredWeight {
  /** How it is held: what it was quantized to, or `none` where it is as exact as the file. */
  readonly quantization: QuantizationOptions;
  /** [outputs, inputs] of the matrix that it stands for. */
  readonly shape: readonly [number, number];
  /** What it is held in, by name: inputs of every graph that uses it. */
  readonly arrays: Readonly<Record<string, DeviceArray>>;
  /**
   * x·Wᵀ in a graph, with a gradient for x: [..., inputs] → [..., outputs]. `inputs` are {@link arrays} in that graph.
   */
  product(inputs: Readonly<Record<string, Value>>, x: Value): Value;
  /** Bytes that it holds. */
  readonly bytes: number;
  /** The matrix as float32, for merging and saving. */
  dense(): Promise<Float32Array>;
}

/** A low-rank change of a linear layer: scaling · dropout(x)·Aᵀ·Bᵀ is added to its product. */
export interface Adapter {
  /** [rank, inputs] */
  readonly a: Parameter;
  /** [outputs, rank] */
  readonly b: Parameter;
  readonly scaling: number;
  /** Share of x that dropout zeroes while training. */
  readonly dropout: number;
}

/** What the adapters of a model have in common; saved as PEFT's adapter_config.json. */
export interface LoraSettings {
  readonly rank: number;
  /** The adapters' part is multiplied by alpha / rank, or as the settings below say. */
  readonly alpha: number;
  readonly dropout: number;
  /**
   * Ends of the names of adapted layers, such as `q_proj`; or `all-linear`, or a regular expression of Python's of
   * whole names.
   */
  readonly modules: string | readonly string[];
  /** Layers left out of them, named in the same ways (`exclude_modules`). */
  readonly excluded?: string | readonly string[];
  /**
   * Of numbered layers only these (`layers_to_transform`), by the number behind `layersPattern` or the first in the
   * name.
   */
  readonly layers?: number | readonly number[];
  readonly layersPattern?: string | readonly string[];
  /** Whether alpha is divided by √rank (`use_rslora`). */
  readonly rankStabilized?: boolean;
  /** Ranks and alphas of single layers, by regular expressions of their names' ends. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  readonly alphaPattern?: Readonly<Record<string, number>>;
  /** Hub id or folder of the base model. */
  readonly base: string;
  /** The hub's commit of the base, where it is known. */
  readonly revision?: string;
}

/**
 * A model's weights by their names in the checkpoint: float32 parameters, stored (quantized) weights of linear layers,
 * and adapters of linear layers by the layer's name (the weight's name without `.weight`).
 */
export class Weights {
  private readonly byName = new Map<string, Parameter>();
  private readonly stored = new Map<string, StoredWeight>();
  private readonly adapters = new Map<string, Adapter>();
  private changes = 0;
  /** Set while there are adapters. */
  lora: LoraSettings | undefined;
  /** What products were computed in while the weights were trained: another engine's may have been bfloat16. */
  computeType: "float32" | "bfloat16" = "float32";

  /** @param torchDtype what they were cast to as they were read */
  constructor(
    readonly device: Device,
    readonly torchDtype: TorchDtype = "float32",
  ) {}

  /**
   * Grows whenever graphs of these weights would be others: a weight or adapter came, went, was frozen or is held in
   * another way.
   */
  get version(): number {
    return this.changes;
  }

  /** All float32 parameters, the adapters' last, in the order they were added. */
  get parameters(): Parameter[] {
    return [...this.byName.values()];
  }

  /** Names of all float32 and stored weights, in the order they were added. */
  get names(): string[] {
    return [...this.byName.keys(), ...this.stored.keys()];
  }

  add(parameter: Parameter): void {
    if (this.has(parameter.name)) throw new Error(`two weights named ${parameter.name}`);
    this.byName.set(parameter.name, parameter);
    this.changes++;
  }

  addStored(name: string, weight: StoredWeight): void {
    if (this.has(name)) throw new Error(`two weights named ${name}`);
    this.stored.set(name, weight);
    this.changes++;
  }

  /** Gives a linear layer an adapter, whose matrices become parameters. */
  addAdapter(layer: string, adapter: Adapter): void {
    if (this.adapters.has(layer)) throw new Error(`two adapters for ${layer}`);
    this.add(adapter.a);
    this.add(adapter.b);
    this.adapters.set(layer, adapter);
    this.changes++;
  }

  /** Takes all adapters off, and their parameters with them. */
  removeAdapters(): void {
    for (const { a, b } of this.adapters.values()) {
      this.byName.delete(a.name);
      this.byName.delete(b.name);
    }
    this.adapters.clear();
    this.lora = undefined;
    this.changes++;
  }

  has(name: string): boolean {
    return this.byName.has(name) || this.stored.has(name);
  }

  /** A float32 parameter. @throws {UserError} where there is none of that name. */
  get(name: string): Parameter {
    const parameter = this.byName.get(name);
    if (!parameter)
      throw new UserError(`the model has no weight ${name}`, {
        hint: "model.parameters and weights.linearLayers tell the names.",
      });
    return parameter;
  }

  storedWeight(name: string): StoredWeight | undefined {
    return this.stored.get(name);
  }

  adapter(layer: string): Adapter | undefined {
    return this.adapters.get(layer);
  }

  /**
   * Shapes [outputs, inputs] of linear layers' weights, float32 or stored, by the layer's name; see `linearLayersOf`.
   */
  get linearLayers(): Map<string, readonly [number, number]> {
    const layers = linearLayersOf(this.byName.values());
    for (const [name, { shape }] of this.stored) layers.set(name.replace(/\.weight$/, ""), shape);
    return layers;
  }

  /** Layers with an adapter. */
  get adapted(): ReadonlyMap<string, Adapter> {
    return this.adapters;
  }

  /** Puts another parameter in the place of the one of its name (to freeze it, say). */
  replace(parameter: Parameter): void {
    this.get(parameter.name);
    this.byName.set(parameter.name, parameter);
    this.changes++;
  }

  /** Freezes every parameter but the adapters'. */
  freezeAll(): void {
    const adapted = new Set([...this.adapters.values()].flatMap(({ a, b }) => [a, b]));
    for (const parameter of this.byName.values())
      if (!adapted.has(parameter)) this.replace({ ...parameter, trained: false });
  }

  /** Puts a stored weight in the place of a float32 one. */
  store(name: string, weight: StoredWeight): void {
    const parameter = this.byName.get(name);
    if (parameter) {
      this.device.dispose(parameter.array);
      this.byName.delete(name);
    }
    this.stored.set(name, weight);
    this.changes++;
  }

  /** Puts a float32 parameter, frozen, in the place of a stored weight; a parameter of that name is left as it is. */
  async expand(name: string): Promise<Parameter> {
    const weight = this.stored.get(name);
    if (weight) {
      const parameter = await makeParameter(this.device, name, weight.shape, await weight.dense(), false);
      for (const array of Object.values(weight.arrays)) this.device.dispose(array);
      this.stored.delete(name);
      this.byName.set(name, parameter);
      this.changes++;
    }
    return this.get(name);
  }

  /**
   * What two layers must have in common to share a program, whose inputs are one layer's weights: which of them are
   * trained, how they are held, and what their adapters multiply by.
   * @param prefix the beginning of the layer's weights' names
   */
  likeness(prefix: string): string {
    const own = this.parameters
      .filter(({ name }) => name.includes(prefix))
      .map(({ name, trained, shape }) => `${name.replace(prefix, "")} ${trained} ${shape.join("×")}`);
    const stored = [...this.stored]
      .filter(([name]) => name.startsWith(prefix))
      .map(
        ([name, { quantization, shape, arrays }]) =>
          `${name.replace(prefix, "")} ${JSON.stringify(quantization)} ${shape.join("×")} ${Object.keys(arrays)}`,
      );
    const adapters = [...this.adapters]
      .filter(([layer]) => layer.startsWith(prefix))
      .map(([layer, { scaling, dropout }]) => `${layer.replace(prefix, "")} ${scaling} ${dropout}`);
    return [...own, ...stored, ...adapters].join(",");
  }

  /** How linear layers are held: as the first of them that is quantized, or `none`. */
  get quantization(): QuantizationOptions {
    const held = [...this.stored.values()].find(({ quantization }) => quantization.kind !== "none");
    return held?.quantization ?? { kind: "none" };
  }

  /** Elements of all stored weights. */
  get storedElements(): number {
    return [...this.stored.values()].reduce((sum, { shape: [outputs, inputs] }) => sum + outputs * inputs, 0);
  }

  /** Bytes that all weights hold. */
  get bytes(): number {
    let bytes = 0;
    for (const { array } of this.byName.values()) bytes += array.bytes;
    for (const weight of this.stored.values()) bytes += weight.bytes;
    return bytes;
  }

  /** Frees what lies in the device's memory. */
  dispose(): void {
    for (const { array } of this.byName.values()) this.device.dispose(array);
    for (const { arrays } of this.stored.values())
      for (const array of Object.values(arrays)) this.device.dispose(array);
  }
}

/**
 * Shapes [outputs, inputs] of linear layers' weights, by the layer's name; embeddings, norms and the output layer are
 * none.
 */
export function linearLayersOf(
  weights: Iterable<{ readonly name: string; readonly shape: readonly number[] }>,
): Map<string, readonly [number, number]> {
  const layers = new Map<string, readonly [number, number]>();
  for (const { name, shape } of weights)
    if (
      shape.length === 2 &&
      name.endsWith(".weight") &&
      !/(^|\.)(shared|embed_tokens|lm_head|relative_attention_bias|lora_[AB])\.weight$/.test(name)
    )
      layers.set(name.slice(0, -7), shape as [number, number]);
  return layers;
}

/** A float32 parameter in the device's memory. */
export async function makeParameter(
  device: Device,
  name: string,
  shape: readonly number[],
  elements: Float32Array,
  trained = true,
): Promise<Parameter> {
  const array: DeviceArray = await device.upload(device.array(elements, shape), name);
  return { name, shape, trained, decayed: isDecayed(name), array };
}

/** The same without elements, on a meta device. */
export async function parameterOfShape(
  device: Device,
  name: string,
  shape: readonly number[],
  trained = true,
): Promise<Parameter> {
  const array = await device.upload(device.zeros(shape), name);
  return { name, shape, trained, decayed: isDecayed(name), array };
}

/**
 * Names of parameters that weight decay does not apply to, biases and norms, case aside. The patterns are those of
 * Hugging Face's Trainer (5.x), by which T5's relative_attention_bias is a bias too.
 */
export const NOT_DECAYED = String.raw`bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)`;

const notDecayed = new RegExp(NOT_DECAYED, "i");

/** Whether weight decay applies to a parameter of this name. */
export const isDecayed = (name: string): boolean => !notDecayed.test(name);
