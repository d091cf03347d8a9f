import { int } from "../attributes.js";
import type { Value } from "../builder.js";
import { type Operation, operation } from "../operation.js";
import { type ElementType, typeCode } from "../types.js";
import { square } from "./arithmetic.js";

/** The same elements in another type. */
export const cast: Operation<[x: Value, type: ElementType]> = operation({
  name: "Cast",
  memory: "view",
  infer: (x: Value, type: ElementType) =>
    x.type === type ? x : { inputs: [x], type, shape: x.shape, attributes: { to: int(typeCode(type)) } },
  gradient: (dy, node) => [cast(dy, node.inputs[0]!.type)],
  cases: ({ normal, integers }) => ({
    cast: {
      samples: { x: normal(3, 4) },
      build: ({ x }) => cast(square(cast(x!, "float64")), "float32"),
      float32: true,
    },
    "cast, whole numbers": {
      samples: { x: { ...integers(1000, 3, 4), type: "int32" } },
      build: ({ x }) => cast(x!, "float32"),
      gradient: false,
    },
  }),
});

/** The same bits read as another type of as many: bfloat16 weights stored as uint16. CPU only. */
export const bitCast: Operation<[x: Value, type: ElementType]> = operation({
  name: "BitCast",
  opset: 26,
  infer: (x: Value, type: ElementType) => ({
    inputs: [x],
    type,
    shape: x.shape,
    attributes: { to: int(typeCode(type)) },
  }),
  cases: ({ integers }) => ({
    bitCast: {
      samples: { x: { ...integers(0x7f80, 20), type: "uint16" } },
      build: ({ x }) => cast(bitCast(x!, "bfloat16"), "float32"),
      gradient: false,
    },
  }),
});
