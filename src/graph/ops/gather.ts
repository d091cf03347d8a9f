import { buildError, int, text, type Value } from "../builder.js";
import { axisOf, productOf, type Shape, sameShape } from "../shape.js";
import { cast } from "./elementwise.js";
import { expand, reshape } from "./layout.js";

function checkIndices(op: string, operands: readonly Value[], indices: Value): void {
  if (indices.type !== "int64" && indices.type !== "int32")
    throw buildError(op, operands, "the indices are neither int64 nor int32");
}

/** The slices of x along an axis that the indices name: a row of a table for each token, with axis 0. */
export function gather(x: Value, indices: Value, axis = 0): Value {
  checkIndices("Gather", [x, indices], indices);
  const at = axisOf(axis, x.rank, "gather");
  const shape: Shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
  return x.builder.one("Gather", [x, indices], x.type, shape, { axis: int(at) });
}

/** For each place of `indices`, the element of x at that place with the axis's index replaced. */
export function gatherElements(x: Value, indices: Value, axis: number): Value {
  checkIndices("GatherElements", [x, indices], indices);
  if (indices.rank !== x.rank) throw buildError("GatherElements", [x, indices], "the ranks differ");
  return x.builder.one("GatherElements", [x, indices], x.type, indices.shape, {
    axis: int(axisOf(axis, x.rank, "gatherElements")),
  });
}

/** x with each element of `updates` added where `indices` says along the axis; equal indices add up. */
export function scatterAddElements(x: Value, indices: Value, updates: Value, axis: number): Value {
  checkIndices("ScatterElements", [x, indices, updates], indices);
  if (x.type !== updates.type) throw buildError("ScatterElements", [x, indices, updates], "the types differ");
  if (indices.rank !== x.rank || !sameShape(indices.shape, updates.shape)) {
    throw buildError(
      "ScatterElements",
      [x, indices, updates],
      "the shapes of indices and updates differ, or their rank is not x's",
    );
  }
  return x.builder.one("ScatterElements", [x, indices, updates], x.type, x.shape, {
    axis: int(axisOf(axis, x.rank, "scatterAddElements")),
    reduction: text("add"),
  });
}

/**
 * x with each row of `updates` added to the row of x that `indices` names: `indices` has shape [...], `updates`
 * [..., rest of x after its first axis]. Equal indices add up. The gradient of `gather` along axis 0.
 *
 * Made of ScatterElements: the CPU's ScatterND adds rows on several threads at once and loses some where indices repeat.
 */
export function scatterAddRows(x: Value, indices: Value, updates: Value): Value {
  checkIndices("scatterAddRows", [x, indices, updates], indices);
  if (x.type !== updates.type) throw buildError("scatterAddRows", [x, indices, updates], "the types differ");
  if (!sameShape(updates.shape, [...indices.shape, ...x.shape.slice(1)])) {
    throw buildError("scatterAddRows", [x, indices, updates], "the updates are not a row for each index");
  }
  const count = productOf(indices.shape);
  const width = productOf(x.shape.slice(1));
  const places = expand(reshape(cast(indices, "int32"), [count, 1]), [count, width]);
  const sums = scatterAddElements(reshape(x, [x.dimension(0), width]), places, reshape(updates, [count, width]), 0);
  return reshape(sums, x.shape);
}
