import { buildError, type GraphBuilder, int, ints, type Value } from "../builder.js";
import {
  axisOf,
  broadcast,
  canonical,
  type Dimension,
  productOf,
  quotientOf,
  type Shape,
  sameShape,
} from "../shape.js";

/**
 * The same elements in another shape. Dimensions may be names known from the inputs, and one may be −1.
 * Where names keep the counts from being compared now, the runtime compares them.
 */
export function reshape(x: Value, target: Shape): Value {
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
  const result = builder.one("Reshape", [x, reshapeVector(builder, x.shape, shape, fresh)], x.type, shape);
  if (fresh) builder.bind(fresh, result, open);
  return result;
}

/** Reshape's second input: constant where the runtime can find the names by itself (0 copies an axis, -1 fills). */
function reshapeVector(builder: GraphBuilder, from: Shape, to: Shape, fresh: string | undefined): Value {
  const vector = to.map((dimension, axis) =>
    typeof dimension === "number" ? dimension : dimension === from[axis] && dimension !== fresh ? 0 : -1,
  );
  if (to.some((dimension, axis) => vector[axis] === 0 && typeof dimension === "number")) return builder.shapeVector(to);
  return vector.filter((dimension) => dimension === -1).length <= 1 ? builder.int64(vector) : builder.shapeVector(to);
}

/** The axes in another order; without one, the last two swapped. */
export function transpose(x: Value, order?: readonly number[]): Value {
  const axes = order ?? [...x.shape.keys()].map((axis) => (axis >= x.rank - 2 ? 2 * x.rank - 3 - axis : axis));
  if (x.rank < 2 && !order) throw buildError("Transpose", [x], "needs two axes or more");
  if (axes.length !== x.rank || new Set(axes).size !== x.rank || axes.some((axis) => axis < 0 || axis >= x.rank)) {
    throw buildError("Transpose", [x], `[${axes.join(", ")}] is no order of its axes`);
  }
  if (axes.every((axis, i) => axis === i)) return x;
  return x.builder.one(
    "Transpose",
    [x],
    x.type,
    axes.map((axis) => x.shape[axis]!),
    { perm: ints(axes) },
  );
}

/** x stretched to a shape that it broadcasts to. */
export function expand(x: Value, shape: Shape): Value {
  const target = shape.map(canonical);
  const out = broadcast(x.shape, target);
  if (!out || !sameShape(out, target)) throw buildError("Expand", [x], `does not broadcast to [${target.join(", ")}]`);
  return sameShape(x.shape, target) ? x : x.builder.one("Expand", [x, x.builder.shapeVector(target)], x.type, target);
}

/** Adds axes of one element, at the places they have in the result. */
export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const rank = x.rank + axes.length;
  const at = new Set(axes.map((axis) => axisOf(axis, rank, "unsqueeze")));
  const shape: Dimension[] = [];
  for (let axis = 0, from = 0; axis < rank; axis++) shape.push(at.has(axis) ? 1 : x.shape[from++]!);
  return x.builder.one("Unsqueeze", [x, x.builder.int64([...at].sort((a, b) => a - b))], x.type, shape);
}

/** Removes axes of one element. */
export function squeeze(x: Value, axes: readonly number[]): Value {
  const at = new Set(axes.map((axis) => axisOf(axis, x.rank, "squeeze")));
  for (const axis of at)
    if (x.shape[axis] !== 1) throw buildError("Squeeze", [x], `axis ${axis} is not of one element`);
  return x.builder.one(
    "Squeeze",
    [x, x.builder.int64([...at].sort((a, b) => a - b))],
    x.type,
    x.shape.filter((_, axis) => !at.has(axis)),
  );
}

/** Values one after another along an axis. The result's dimension there is a sum, or gets the name given. */
export function concat(values: readonly Value[], axis: number, dimension?: string): Value {
  const first = values[0];
  if (!first) throw buildError("Concat", [], "nothing to join");
  const at = axisOf(axis, first.rank, "concat");
  for (const value of values) {
    if (value.type !== first.type) throw buildError("Concat", values, "the types differ");
    if (value.rank !== first.rank || value.shape.some((d, i) => i !== at && d !== first.shape[i])) {
      throw buildError("Concat", values, `the shapes differ beside axis ${at}`);
    }
  }
  if (values.length === 1) return first;
  const sizes = values.map((value) => value.shape[at]!);
  const builder = first.builder;
  const total = sizes.every((size) => typeof size === "number")
    ? sizes.reduce<number>((sum, size) => sum + (size as number), 0)
    : (dimension ?? builder.newSymbol(`(${sizes.join("+").replaceAll("*", "·")})`));
  const result = builder.one(
    "Concat",
    values,
    first.type,
    first.shape.map((d, i) => (i === at ? total : d)),
    { axis: int(at) },
  );
  if (typeof total === "string") builder.bind(total, result, at);
  return result;
}

/** Consecutive pieces of the given sizes along an axis; sizes may be names. */
export function split(x: Value, axis: number, sizes: Shape): Value[] {
  const at = axisOf(axis, x.rank, "split");
  const pieces = sizes.map(canonical);
  const all = x.shape[at]!;
  if (typeof all === "number" && pieces.every((size) => typeof size === "number")) {
    const sum = pieces.reduce<number>((total, size) => total + (size as number), 0);
    if (sum !== all) throw buildError("Split", [x], `${pieces.join(" + ")} is not ${all}`);
  }
  if (pieces.length === 1) return [x];
  const outputs = pieces.map((size) => ({ type: x.type, shape: x.shape.map((d, i) => (i === at ? size : d)) }));
  return x.builder.node("Split", [x, x.builder.shapeVector(pieces)], outputs, { axis: int(at) });
}

/**
 * The elements from `start` up to, not including, `end` along an axis; negative ones count from the end, and no
 * `end` means all the rest. Where the size is only known when the graph runs, it gets the name given.
 */
export function slice(x: Value, axis: number, start: number, end?: number, dimension?: string): Value {
  const at = axisOf(axis, x.rank, "slice");
  const builder = x.builder;
  const size = x.shape[at]!;
  let length: Dimension;
  if (typeof size === "number") {
    const bound = (place: number): number => Math.min(size, Math.max(0, place < 0 ? place + size : place));
    length = bound(end ?? size) - bound(start);
    if (length < 0) throw buildError("Slice", [x], `from ${start} to ${end} along axis ${at} is empty`);
    if (length === size) return x;
  } else if (start === 0 && end === undefined) return x;
  else if (start < 0 && end === undefined) length = -start;
  else if (start >= 0 && end !== undefined && end >= start) length = end - start;
  else length = dimension ?? builder.newSymbol(`${size}[${start}:${end ?? ""}]`.replaceAll("*", "·"));
  const last = end ?? Number.MAX_SAFE_INTEGER;
  const inputs = [x, builder.int64([start]), builder.int64([last]), builder.int64([at])];
  const result = builder.one(
    "Slice",
    inputs,
    x.type,
    x.shape.map((d, i) => (i === at ? length : d)),
  );
  if (typeof length === "string") builder.bind(length, result, at);
  return result;
}

/** A tensor of one number everywhere; its shape may hold names known from the inputs. */
export function full(builder: GraphBuilder, shape: Shape, value: number, type: Value["type"]): Value {
  const target = shape.map(canonical);
  return target.length === 0 ? builder.scalar(value, type) : expand(builder.scalar(value, type), target);
}

/** 0, 1, …, size − 1, as int64 or int32; the size may be a name. */
export function range(builder: GraphBuilder, size: Dimension, type: "int64" | "int32" = "int64"): Value {
  const dimension = canonical(size);
  const end = builder.one("Squeeze", [builder.dimension(dimension)], "int64", []);
  const limit = type === "int64" ? end : builder.one("Cast", [end], type, []);
  return builder.one("Range", [builder.scalar(0, type), limit, builder.scalar(1, type)], type, [dimension]);
}

/** The shape of x as an int64 vector. */
export function shapeOf(x: Value): Value {
  return x.builder.shapeVector(x.shape);
}
