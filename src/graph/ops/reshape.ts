import { buildError, type GraphBuilder, type Value } from "../builder.js";
import { type Operation, operation } from "../operation.js";
import { canonical, productOf, quotientOf, type Shape, sameShape } from "../shape.js";
import { moved } from "./gradient-shapes.js";
import { transpose } from "./transpose.js";

/**
 * The same elements in another shape. Dimensions may be names known from the inputs, and one may be −1.
 * Where names keep the counts from being compared now, the runtime compares them.
 */
export const reshape: Operation<[x: Value, shape: Shape]> = operation({
  name: "Reshape",
  memory: "view",
  infer: (x: Value, target: Shape) => {
    const builder = x.builder;
    const open = target.indexOf(-1);
    const shape = target.map((dimension) => (dimension === -1 ? 1 : canonical(dimension)));
    const total = productOf(x.shape);
    let fresh: string | undefined;
    if (open >= 0) {
      if (target.indexOf(-1, open + 1) >= 0) throw buildError("Reshape", [x], "two dimensions are -1");
      const rest = quotientOf(total, productOf(shape));
      if (rest !== undefined) shape[open] = rest;
      else if (typeof total === "number" && typeof productOf(shape) === "number") {
        throw buildError("Reshape", [x], `${total} elements do not fill ${target.join(" × ")}`);
      } else shape[open] = fresh = builder.newSymbol(`${total}/(${productOf(shape)})`.replaceAll("*", "·"));
    }
    const size = productOf(shape);
    if (typeof total === "number" && typeof size === "number" && total !== size) {
      throw buildError("Reshape", [x], `${total} elements do not fill ${target.join(" × ")}`);
    }
    if (sameShape(x.shape, shape)) return x;
    return {
      inputs: [x, shapeInput(builder, x.shape, shape, fresh)],
      type: x.type,
      shape,
      binds: fresh ? { name: fresh, axis: open } : undefined,
    };
  },
  gradient: (dy, node) => moved(dy, node, (full) => reshape(full, node.inputs[0]!.shape)),
  cases: ({ normal, named }) => ({
    reshape: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => reshape(x!, [6, -1]) },
    "reshape, names": {
      samples: { x: named(normal(2, 3, 4), "B", "T", "") },
      build: ({ x }) => reshape(transpose(reshape(x!, ["B", "T", 2, 2]), [0, 2, 1, 3]), ["2*B", "T", 2]),
    },
  }),
});

/** Reshape's second input: constant where the runtime can find the names by itself (0 copies an axis, -1 fills). */
function shapeInput(builder: GraphBuilder, from: Shape, to: Shape, fresh: string | undefined): Value {
  const vector = to.map((dimension, axis) =>
    typeof dimension === "number" ? dimension : dimension === from[axis] && dimension !== fresh ? 0 : -1,
  );
  if (to.some((dimension, axis) => vector[axis] === 0 && typeof dimension === "number")) return builder.shapeVector(to);
  return vector.filter((dimension) => dimension === -1).length <= 1 ? builder.int64(vector) : builder.shapeVector(to);
}
