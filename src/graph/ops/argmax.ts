import { int } from "../attributes.js";
import type { Value } from "../builder.js";
import { composed, type Operation, operation, operationOfMany } from "../operation.js";
import { axisOf } from "../shape.js";

/** The index of the largest along an axis (the first of equals), int64, without that axis. No gradient. */
export const argmax: Operation<[x: Value, axis?: number]> = operation({
  name: "ArgMax",
  infer: (x: Value, axis = -1) => {
    const along = axisOf(axis, x.rank, "argmax");
    return {
      inputs: [x],
      type: "int64" as const,
      shape: x.shape.filter((_, i) => i !== along),
      attributes: { axis: int(along), keepdims: int(0) },
    };
  },
  cases: ({ normal }) => ({
    argmax: { samples: { x: normal(3, 5) }, build: ({ x }) => argmax(x!), gradient: false },
    "argmax, another axis": { samples: { x: normal(3, 5) }, build: ({ x }) => argmax(x!, 0), gradient: false },
  }),
});

const largest: Operation<[x: Value, k: number], Value[]> = operationOfMany({
  name: "TopK",
  infer: (x: Value, k: number) => {
    const shape = [...x.shape.slice(0, -1), k];
    return {
      inputs: [x, x.builder.int64([k])],
      outputs: [
        { type: x.type, shape },
        { type: "int64" as const, shape },
      ],
      attributes: { axis: int(-1) },
    };
  },
});

/** The k largest along the last axis, in order, and their indices (int64). No gradient. */
export const topK: Operation<[x: Value, k: number], { readonly values: Value; readonly indices: Value }> = composed({
  name: "topK",
  build: (x: Value, k: number) => {
    const [values, indices] = largest(x, k);
    return { values: values!, indices: indices! };
  },
  cases: ({ normal }) => ({
    topK: {
      samples: { x: normal(3, 6) },
      build: ({ x }) => {
        const { values, indices } = topK(x!, 2);
        return [values, indices];
      },
      gradient: false,
    },
  }),
});
