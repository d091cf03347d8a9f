import type { CheckpointWeights } from "../checkpoint-weights.js";
import { mergeInto } from "./merge.js";

/** What an adapter adds to a layer's weight: scaling · B·A. */
export interface Change {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly rank: number;
  readonly scaling: number;
}

/** A checkpoint's weights with what an adapter changes of them. */
export interface MergedWeights {
  readonly weights: CheckpointWeights;
  /** The name that a weight of the model has in the checkpoint. */
  readonly place: (name: string) => string;
  /** What an adapter adds, by the model's names. */
  readonly changes: ReadonlyMap<string, Change>;
}

/** Some rows of a weight as float32, an adapter's change merged into them. */
export function mergedRows(
  { weights, place, changes }: MergedWeights,
  name: string,
  from: number,
  count: number,
): Float32Array {
  const values = weights.readRowsNow(place(name), from, count);
  const change = changes.get(name);
  if (change) {
    const { a, b, rank, scaling } = change;
    mergeInto(values, a, b.subarray(from * rank, (from + count) * rank), rank, scaling);
  }
  return values;
}
