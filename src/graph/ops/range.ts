import type { GraphBuilder, Value } from "../builder.js";
import { composed, type Operation, operation } from "../operation.js";
import { canonical, type Dimension } from "../shape.js";
import { add } from "./arithmetic.js";
import { cast } from "./cast.js";

/** 0, 1, …, size − 1, as int64 or int32; the size may be a name. */
export const range: Operation<[builder: GraphBuilder, size: Dimension, type?: "int64" | "int32"]> = operation({
  name: "Range",
  infer: (builder: GraphBuilder, size: Dimension, type: "int64" | "int32" = "int64") => {
    const dimension = canonical(size);
    const end = builder.one("Squeeze", [builder.dimension(dimension)], "int64", []);
    const limit = type === "int64" ? end : cast(end, type);
    return { inputs: [builder.scalar(0, type), limit, builder.scalar(1, type)], type, shape: [dimension] };
  },
  cases: ({ integers, named }) => ({
    range: {
      samples: { i: { ...named(integers(9, 4), "N"), type: "int32" } },
      build: ({ i }) => add(range(i!.builder, "N", "int32"), i!),
      gradient: false,
    },
  }),
});

/** The shape of x as an int64 vector. */
export const shapeOf: Operation<[x: Value]> = composed({
  name: "shapeOf",
  build: (x: Value): Value => x.builder.shapeVector(x.shape),
  cases: ({ normal, named }) => ({
    shapeOf: {
      samples: { x: { ...named(normal(4, 3), "N", "M"), checked: false } },
      build: ({ x }) => shapeOf(x!),
      gradient: false,
    },
  }),
});
