import {
  add,
  arrayFromNumbers,
  concat,
  type Dimension,
  type GraphBuilder,
  gather,
  greater,
  maximum,
  minimum,
  range,
  reshape,
  sub,
  unsqueeze,
  type Value,
  where,
} from "../../graph/index.js";
import { MASKED } from "../packing.js";

/*
 * What models feed from outside while they run here, computed from the inputs that transformers.js gives: masks and
 * positions.
 */

/** 0 where the condition holds, else what makes a score vanish. */
export const maskWhere = (condition: Value): Value => {
  const { builder } = condition;
  return where(condition, builder.scalar(0, "float32"), builder.scalar(MASKED, "float32"));
};

/** Whether tokens are there: a mask int64 [B, n] of ones and zeros as bool [B, 1, 1, n]. */
export const present = (mask: Value): Value => greater(unsqueeze(mask, [1, 2]), 0);

/** Places of earlier tokens and then of new ones, int64 [all]; `all` becomes the name of their number. */
export function places(builder: GraphBuilder, past: Dimension, fresh: Dimension, all: string): Value {
  return concat([range(builder, past), freshPlaces(builder, past, fresh)], 0, all);
}

/** Places of new tokens that stand behind earlier ones, int64 [fresh]. */
export const freshPlaces = (builder: GraphBuilder, past: Dimension, fresh: Dimension): Value =>
  add(range(builder, fresh), builder.dimension(past));

/** A function of whole numbers that does not change beyond its ends, by a table of its values: int64 → int64. */
export function tabulated(x: Value, from: number, to: number, valueAt: (place: number) => number): Value {
  const values = Array.from({ length: to - from + 1 }, (_, i) => valueAt(from + i));
  const table = x.builder.constant(arrayFromNumbers(values, "int64"), [values.length]);
  return gather(table, sub(maximum(minimum(x, to), from), from));
}

/** key − query for all pairs, int64 [queries, keys]. */
export const distances = (queries: Value, keys: Value): Value =>
  sub(unsqueeze(keys, [0]), reshape(queries, [queries.dimension(0), 1]));
