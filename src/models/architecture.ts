import type { Progress } from "../base/progress.js";
import type { Device } from "../graph/index.js";
import type { ConfigFile } from "./config-file.js";
import type { LanguageModel } from "./language-model.js";
import type { Checkpoint } from "./load.js";
import type { ShapeOptions } from "./model-shape.js";
import type { PlanOnnx } from "./onnx/plan.js";
import type { WeightStore } from "./quantize/index.js";

/** How an architecture's model is made from a checkpoint. */
export interface ArchitectureLoadOptions {
  /** Takes each linear layer's weight and holds it in fewer bits; without it they are held as float32. */
  readonly store?: WeightStore;
  /** Dropout of the model itself instead of what config.json says, where the architecture has one. */
  readonly dropout?: number | null;
  /** Whether the model's own weights stay as they are: tables stored as bfloat16 are then held so (on the CPU). */
  readonly frozen?: boolean;
  /**
   * Whether frozen matrices stored as bfloat16 are held so too (on the CPU): as exact in half the memory, but expanded
   * by every product. Unless given, where float32 would take most of the memory that is free.
   */
  readonly compact?: boolean;
  readonly progress?: Progress;
}

/** In what texts for one model differ from those for another. */
export interface TextFormat {
  /**
   * What stands between a prompt and its answer, such as a space; nothing where a decoder of its own begins the answer.
   */
  readonly beforeAnswer: string;
  /** Whether every text opens with the tokenizer's `bos_token`, without which (or with two) such models collapse. */
  readonly opensWithBos: boolean;
  /** Whether an answer follows its prompt in one sequence: both together must fit. */
  readonly oneSequence: boolean;
}

/** A family of models that share a computation: what the registry holds, told apart by config.json's `model_type`. */
export interface Architecture<Model extends LanguageModel = LanguageModel> {
  /** The values of `model_type` that it reads. */
  readonly modelTypes: readonly string[];
  /** What it is called, in messages. */
  readonly title: string;
  readonly text: TextFormat;
  /** The hub's identifier of the licence that all models of it are under, where there is one. */
  readonly license?: string;
  /** Whether frozen bfloat16 weights can stay in 2 bytes each on the CPU. */
  readonly keepsBfloat16: boolean;
  /** How it is exported for transformers.js; absent where that has no such model. */
  readonly planOnnx?: PlanOnnx;
  /** What transformers calls the weight that a file has under a name; the same unless given. */
  readonly moduleName?: (stored: string) => string;
  /**
   * Names and shapes of a model's weights, in the order in which it has them.
   * @throws {UserError} where config.json asks for what is not supported
   */
  weightShapes(config: ConfigFile): ReadonlyMap<string, readonly number[]>;
  /**
   * Makes the model, the checkpoint staying open.
   * @throws {UserError} where config.json asks for what is not supported, or a weight is missing or has another shape
   */
  fromCheckpoint(checkpoint: Checkpoint, device: Device, options?: ArchitectureLoadOptions): Promise<Model>;
  /**
   * A model of the configuration's shape without elements, on a meta device: to count with what it needs and does.
   * @throws {UserError} where config.json asks for what is not supported, or the device does not reach a weight
   */
  ofShape(config: Pick<ConfigFile, "path" | "json">, device: Device, options?: ShapeOptions): Promise<Model>;
}
