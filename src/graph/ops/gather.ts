import { int, intAttribute, text } from "../attributes.js";
import { buildError, type GraphNode, type Value } from "../builder.js";
import { GraphError } from "../errors.js";
import { composed, type Operation, operation } from "../operation.js";
import { axisOf, productOf, sameShape } from "../shape.js";
import { cast } from "./cast.js";
import { expand, full } from "./expand.js";
import { whole } from "./gradient-shapes.js";
import { reshape } from "./reshape.js";
import { transpose } from "./transpose.js";

function checkIndices(name: string, given: readonly Value[], indices: Value): void {
  if (indices.type !== "int64" && indices.type !== "int32")
    throw buildError(name, given, "the indices are neither int64 nor int32");
}

/** The slices of x along an axis that the indices name: a row of a table for each token, with axis 0. */
export const gather: Operation<[x: Value, indices: Value, axis?: number]> = operation({
  name: "Gather",
  infer: (x: Value, indices: Value, axis = 0) => {
    checkIndices("Gather", [x, indices], indices);
    const along = axisOf(axis, x.rank, "gather");
    const shape = [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)];
    return { inputs: [x, indices], type: x.type, shape, attributes: { axis: int(along) } };
  },
  gradient: (dy, node) => [gatherGradient(node, whole(dy, node)), undefined],
  cases: ({ normal, integers }) => ({
    gather: { samples: { x: normal(5, 3), i: integers(5, 2, 4) }, build: ({ x, i }) => gather(x!, i!) },
    "gather, int32": {
      samples: { x: normal(5, 3), i: { ...integers(5, 6), type: "int32" } },
      build: ({ x, i }) => gather(x!, i!),
    },
    "gather, an inner axis": {
      samples: { x: normal(2, 5, 3), i: integers(5, 2, 2) },
      build: ({ x, i }) => gather(x!, i!, 1),
    },
    "gather, the last axis": {
      samples: { x: normal(2, 5), i: integers(5, 7) },
      build: ({ x, i }) => gather(x!, i!, -1),
    },
  }),
});

/** Adds up the rows' gradients in a table of zeros; other axes than the first are brought there and back. */
function gatherGradient(node: GraphNode, dy: Value): Value {
  const [x, indices] = node.inputs as [Value, Value];
  const axis = intAttribute(node, "axis");
  if (axis === 0) return scatterAddRows(full(x.builder, x.shape, 0, x.type), indices, dy);
  const gathered = [...indices.shape.keys()].map((i) => axis + i);
  const others = [...dy.shape.keys()].filter((i) => !gathered.includes(i));
  const table = [x.shape[axis]!, ...x.shape.filter((_, i) => i !== axis)];
  const sums = scatterAddRows(full(x.builder, table, 0, x.type), indices, transpose(dy, [...gathered, ...others]));
  const back = [...x.shape.keys()].map((i) => (i === axis ? 0 : i < axis ? i + 1 : i));
  return transpose(sums, back);
}

/** For each element of `indices`, the element of x at its position with the axis's index replaced. */
export const gatherElements: Operation<[x: Value, indices: Value, axis: number]> = operation({
  name: "GatherElements",
  infer: (x: Value, indices: Value, axis: number) => {
    checkIndices("GatherElements", [x, indices], indices);
    if (indices.rank !== x.rank) throw buildError("GatherElements", [x, indices], "the ranks differ");
    const attributes = { axis: int(axisOf(axis, x.rank, "gatherElements")) };
    return { inputs: [x, indices], type: x.type, shape: indices.shape, attributes };
  },
  gradient: (dy, node) => {
    const [x, indices] = node.inputs as [Value, Value];
    const all = whole(dy, node);
    const zeros = full(x.builder, x.shape, 0, x.type);
    return [scatterAddElements(zeros, indices, all, intAttribute(node, "axis")), undefined];
  },
  cases: ({ normal, integers }) => ({
    gatherElements: {
      samples: { x: normal(3, 5), i: integers(5, 3, 2) },
      build: ({ x, i }) => gatherElements(x!, i!, 1),
    },
  }),
});

/** x with each element of `updates` added where `indices` says along the axis; equal indices add up. */
export const scatterAddElements: Operation<[x: Value, indices: Value, updates: Value, axis: number]> = operation({
  name: "ScatterElements",
  infer: (x: Value, indices: Value, updates: Value, axis: number) => {
    const given = [x, indices, updates];
    checkIndices("ScatterElements", given, indices);
    if (x.type !== updates.type) throw buildError("ScatterElements", given, "the types differ");
    if (indices.rank !== x.rank || !sameShape(indices.shape, updates.shape)) {
      const reason = "the shapes of indices and updates differ, or their rank is not x's";
      throw buildError("ScatterElements", given, reason);
    }
    const attributes = { axis: int(axisOf(axis, x.rank, "scatterAddElements")), reduction: text("add") };
    return { inputs: given, type: x.type, shape: x.shape, attributes };
  },
  gradient: (dy, node, needed) => {
    const reduction = node.attributes["reduction"];
    if (reduction?.kind !== "string" || reduction.value !== "add")
      throw new GraphError(`${node.op} has a gradient only where it adds`);
    const all = whole(dy, node);
    const axis = intAttribute(node, "axis");
    return [all, undefined, needed[2] ? gatherElements(all, node.inputs[1]!, axis) : undefined];
  },
  cases: ({ normal, integers }) => ({
    scatterAddElements: {
      samples: { x: normal(3, 5), i: integers(5, 3, 7), u: normal(3, 7) },
      build: ({ x, i, u }) => scatterAddElements(x!, i!, u!, 1),
    },
  }),
});

/**
 * x with each row of `updates` added to the row of x that `indices` names: `indices` has shape [...], `updates`
 * [..., rest of x after its first axis]. Equal indices add up. The gradient of `gather` along axis 0.
 *
 * Made of ScatterElements: the CPU's ScatterND adds rows on several threads at once and loses some where indices
 * repeat.
 */
export const scatterAddRows: Operation<[x: Value, indices: Value, updates: Value]> = composed({
  name: "scatterAddRows",
  build: (x: Value, indices: Value, updates: Value): Value => {
    const given = [x, indices, updates];
    checkIndices("scatterAddRows", given, indices);
    if (x.type !== updates.type) throw buildError("scatterAddRows", given, "the types differ");
    if (!sameShape(updates.shape, [...indices.shape, ...x.shape.slice(1)])) {
      throw buildError("scatterAddRows", given, "the updates are not a row for each index");
    }
    const count = productOf(indices.shape);
    const columns = productOf(x.shape.slice(1));
    const rows = expand(reshape(cast(indices, "int32"), [count, 1]), [count, columns]);
    const table = reshape(x, [x.dimension(0), columns]);
    return reshape(scatterAddElements(table, rows, reshape(updates, [count, columns]), 0), x.shape);
  },
  cases: ({ normal, integers }) => ({
    scatterAddRows: {
      samples: { x: normal(4, 2), i: integers(4, 3, 2), u: normal(3, 2, 2) },
      build: ({ x, i, u }) => scatterAddRows(x!, i!, u!),
    },
  }),
});
