import type { GraphBuilder } from "../../graph/index.js";
import type { Checkpoint } from "../load.js";
import type { Weights } from "../weights.js";

/** A model as transformers.js loads it: what is in its files. */
export interface OnnxPlan {
  /** config.json */
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys of it whose number is written as a float; see `configText`. */
  readonly floatKeys: ReadonlySet<string>;
  /** generation_config.json */
  readonly generationConfig: Readonly<Record<string, unknown>>;
  /** Of all weights, by the model's names. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The name that a weight of the model has in the checkpoint. */
  readonly place: (name: string) => string;
  /** The graphs by the names of their files, whose weights are inputs. */
  graphs(weights: Weights): ReadonlyMap<string, GraphBuilder>;
  /** What names of the graphs' dimensions are called in the files; transformers.js asks for `batch_size`. */
  readonly dimensions: Readonly<Record<string, string>>;
}

/**
 * Plans the export of a checkpoint, which stays open.
 * @throws {UserError} where config.json and the weights do not belong together
 */
export type PlanOnnx = (checkpoint: Checkpoint) => Promise<OnnxPlan>;
