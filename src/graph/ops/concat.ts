import { int, intAttribute } from "../attributes.js";
import { buildError, type Value } from "../builder.js";
import { type Operation, operation, operationOfMany } from "../operation.js";
import { axisOf, canonical, type Shape } from "../shape.js";
import { mul } from "./arithmetic.js";
import { expand, full } from "./expand.js";
import { asScalar, isUniform, whole } from "./gradient-shapes.js";
import { reshape } from "./reshape.js";

/** Values one after another along an axis. The result's dimension there is a sum, or gets the name given. */
export const concat: Operation<[values: readonly Value[], axis: number, dimension?: string]> = operation({
  name: "Concat",
  memory: "view",
  infer: (values: readonly Value[], axis: number, dimension?: string) => {
    const first = values[0];
    if (!first) throw buildError("Concat", [], "nothing to join");
    const along = axisOf(axis, first.rank, "concat");
    for (const value of values) {
      if (value.type !== first.type) throw buildError("Concat", values, "the types differ");
      if (value.rank !== first.rank || value.shape.some((d, i) => i !== along && d !== first.shape[i])) {
        throw buildError("Concat", values, `the shapes differ outside axis ${along}`);
      }
    }
    if (values.length === 1) return first;
    const sizes = values.map((value) => value.shape[along]!);
    const total = sizes.every((size) => typeof size === "number")
      ? sizes.reduce<number>((sum, size) => sum + (size as number), 0)
      : (dimension ?? first.builder.newSymbol(`(${sizes.join("+").replaceAll("*", "·")})`));
    return {
      inputs: values,
      type: first.type,
      shape: first.shape.map((d, i) => (i === along ? total : d)),
      attributes: { axis: int(along) },
      binds: typeof total === "string" ? { name: total, axis: along } : undefined,
    };
  },
  gradient: (dy, node, needed) => {
    if (isUniform(dy)) return node.inputs.map((_, i) => (needed[i] ? asScalar(dy) : undefined));
    const axis = intAttribute(node, "axis");
    return split(
      whole(dy, node),
      axis,
      node.inputs.map((input) => input!.shape[axis]!),
    );
  },
  cases: ({ normal, named }) => ({
    concat: {
      samples: { a: normal(2, 3), b: normal(2, 1), c: normal(2, 2) },
      build: ({ a, b, c }) => concat([a!, b!, c!], 1),
    },
    "concat, names": {
      samples: { a: named(normal(2, 3), "A"), b: named(normal(4, 3), "C") },
      build: ({ a, b }) => mul(concat([a!, b!], 0), 2),
    },
  }),
});

/** Consecutive pieces of the given sizes along an axis; sizes may be names. */
export const split: Operation<[x: Value, axis: number, sizes: Shape], Value[]> = operationOfMany({
  name: "Split",
  memory: "view",
  infer: (x: Value, axis: number, sizes: Shape) => {
    const along = axisOf(axis, x.rank, "split");
    const pieces = sizes.map(canonical);
    const all = x.shape[along]!;
    if (typeof all === "number" && pieces.every((size) => typeof size === "number")) {
      const sum = pieces.reduce<number>((total, size) => total + (size as number), 0);
      if (sum !== all) throw buildError("Split", [x], `${pieces.join(" + ")} is not ${all}`);
    }
    if (pieces.length === 1) return [x];
    const outputs = pieces.map((size) => ({ type: x.type, shape: x.shape.map((d, i) => (i === along ? size : d)) }));
    return { inputs: [x, x.builder.shapeVector(pieces)], outputs, attributes: { axis: int(along) } };
  },
  gradient: (node, gradients) => {
    const x = node.inputs[0]!;
    const pieces = node.outputs.map((output, i) => {
      const gradient = gradients[i];
      return gradient ? expand(gradient, output.shape) : full(x.builder, output.shape, 0, x.type);
    });
    return [reshape(concat(pieces, intAttribute(node, "axis")), x.shape)];
  },
  cases: ({ normal }) => ({
    split: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => split(x!, 2, [1, 3]) },
    "split, a piece unused": { samples: { x: normal(4, 2) }, build: ({ x }) => split(x!, 0, [1, 2, 1])[1]! },
  }),
});
