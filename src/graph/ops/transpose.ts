import { ints, intsAttribute } from "../attributes.js";
import { buildError, type Value } from "../builder.js";
import { type Operation, operation } from "../operation.js";
import { moved } from "./gradient-shapes.js";

/** The axes in another order; without one, the last two swapped. */
export const transpose: Operation<[x: Value, order?: readonly number[]]> = operation({
  name: "Transpose",
  memory: "view",
  infer: (x: Value, order?: readonly number[]) => {
    const axes = order ?? [...x.shape.keys()].map((axis) => (axis >= x.rank - 2 ? 2 * x.rank - 3 - axis : axis));
    if (x.rank < 2 && !order) throw buildError("Transpose", [x], "needs two axes or more");
    if (axes.length !== x.rank || new Set(axes).size !== x.rank || axes.some((axis) => axis < 0 || axis >= x.rank)) {
      throw buildError("Transpose", [x], `[${axes.join(", ")}] is no order of its axes`);
    }
    if (axes.every((axis, i) => axis === i)) return x;
    return { inputs: [x], type: x.type, shape: axes.map((axis) => x.shape[axis]!), attributes: { perm: ints(axes) } };
  },
  gradient: (dy, node) =>
    moved(dy, node, (full) => {
      const back: number[] = [];
      intsAttribute(node, "perm").forEach((axis, i) => (back[axis] = i));
      return transpose(full, back);
    }),
  cases: ({ normal }) => ({
    transpose: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => transpose(x!, [2, 0, 1]) },
    "transpose, last two": { samples: { x: normal(2, 3, 4) }, build: ({ x }) => transpose(x!) },
  }),
});
