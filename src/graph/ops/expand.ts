import { buildError, type GraphBuilder, type Value } from "../builder.js";
import { composed, type Operation, operation } from "../operation.js";
import { broadcast, canonical, type Shape, sameShape } from "../shape.js";
import type { ElementType } from "../types.js";
import { add } from "./arithmetic.js";
import { sumTo } from "./gradient-shapes.js";

/** x broadcast to a shape. */
export const expand: Operation<[x: Value, shape: Shape]> = operation({
  name: "Expand",
  memory: "view",
  infer: (x: Value, shape: Shape) => {
    const target = shape.map(canonical);
    const out = broadcast(x.shape, target);
    if (!out || !sameShape(out, target))
      throw buildError("Expand", [x], `does not broadcast to [${target.join(", ")}]`);
    if (sameShape(x.shape, target)) return x;
    return { inputs: [x, x.builder.shapeVector(target)], type: x.type, shape: target };
  },
  gradient: (dy, node) => [sumTo(dy, node.outputs[0]!.shape, node.inputs[0]!.shape)],
  cases: ({ normal }) => ({ expand: { samples: { x: normal(2, 1) }, build: ({ x }) => expand(x!, [3, 2, 4]) } }),
});

/** A tensor of one number everywhere; its shape may hold names known from the inputs. */
export const full: Operation<[builder: GraphBuilder, shape: Shape, value: number, type: ElementType]> = composed({
  name: "full",
  build: (builder: GraphBuilder, shape: Shape, value: number, type: ElementType): Value => {
    const target = shape.map(canonical);
    return target.length === 0 ? builder.scalar(value, type) : expand(builder.scalar(value, type), target);
  },
  cases: ({ normal, named }) => ({
    full: {
      samples: { x: named(normal(3, 2), "N") },
      build: ({ x }) => add(full(x!.builder, ["N", 2], 0.25, x!.type), x!),
    },
  }),
});
