import { constantInts } from "../attributes.js";
import { buildError, type Value } from "../builder.js";
import { type Operation, operation } from "../operation.js";
import { axisOf, type Dimension } from "../shape.js";
import { moved } from "./gradient-shapes.js";

/** Adds axes of one element, at the positions they have in the result. */
export const unsqueeze: Operation<[x: Value, axes: readonly number[]]> = operation({
  name: "Unsqueeze",
  memory: "view",
  infer: (x: Value, axes: readonly number[]) => {
    const rank = x.rank + axes.length;
    const added = new Set(axes.map((axis) => axisOf(axis, rank, "unsqueeze")));
    const shape: Dimension[] = [];
    for (let axis = 0, from = 0; axis < rank; axis++) shape.push(added.has(axis) ? 1 : x.shape[from++]!);
    return { inputs: [x, x.builder.int64([...added].sort((a, b) => a - b))], type: x.type, shape };
  },
  gradient: (dy, node) => moved(dy, node, (full) => squeeze(full, constantInts(node, 1))),
  cases: ({ normal }) => ({ unsqueeze: { samples: { x: normal(2, 3) }, build: ({ x }) => unsqueeze(x!, [0, 2]) } }),
});

/** Removes axes of one element. */
export const squeeze: Operation<[x: Value, axes: readonly number[]]> = operation({
  name: "Squeeze",
  memory: "view",
  infer: (x: Value, axes: readonly number[]) => {
    const removed = new Set(axes.map((axis) => axisOf(axis, x.rank, "squeeze")));
    for (const axis of removed)
      if (x.shape[axis] !== 1) throw buildError("Squeeze", [x], `axis ${axis} is not of one element`);
    return {
      inputs: [x, x.builder.int64([...removed].sort((a, b) => a - b))],
      type: x.type,
      shape: x.shape.filter((_, axis) => !removed.has(axis)),
    };
  },
  gradient: (dy, node) => moved(dy, node, (full) => unsqueeze(full, constantInts(node, 1))),
  cases: ({ normal }) => ({ squeeze: { samples: { x: normal(2, 1, 3) }, build: ({ x }) => squeeze(x!, [1]) } }),
});
