import { constantInts } from "../attributes.js";
import { buildError, type GraphBuilder, type Value } from "../builder.js";
import { type Operation, operation } from "../operation.js";
import { axisOf, type Dimension, type Shape } from "../shape.js";
import { concat } from "./concat.js";
import { whole } from "./gradient-shapes.js";

/**
 * The elements from `start` up to, not including, `end` along an axis; negative ones count from the end, and no
 * `end` means all the rest. Where the size is only known when the graph runs, it gets the name given.
 */
export const slice: Operation<[x: Value, axis: number, start: number, end?: number, dimension?: string]> = operation({
  name: "Slice",
  memory: "view",
  infer: (x: Value, axis: number, start: number, end?: number, dimension?: string) => {
    const along = axisOf(axis, x.rank, "slice");
    const builder = x.builder;
    const size = x.shape[along]!;
    let length: Dimension;
    if (typeof size === "number") {
      const bound = (index: number): number => Math.min(size, Math.max(0, index < 0 ? index + size : index));
      length = bound(end ?? size) - bound(start);
      if (length < 0) throw buildError("Slice", [x], `from ${start} to ${end} along axis ${along} is empty`);
      if (length === size) return x;
    } else if (start === 0 && end === undefined) return x;
    else if (start < 0 && end === undefined) length = -start;
    else if (start >= 0 && end !== undefined && end >= start) length = end - start;
    else length = dimension ?? builder.newSymbol(`${size}[${start}:${end ?? ""}]`.replaceAll("*", "·"));
    const last = end ?? Number.MAX_SAFE_INTEGER;
    return {
      inputs: [x, builder.int64([start]), builder.int64([last]), builder.int64([along])],
      type: x.type,
      shape: x.shape.map((d, i) => (i === along ? length : d)),
      binds: typeof length === "string" ? { name: length, axis: along } : undefined,
    };
  },
  gradient: (dy, node) => {
    const x = node.inputs[0]!;
    const [start, end, axis] = [constantInts(node, 1)[0]!, constantInts(node, 2)[0]!, constantInts(node, 3)[0]!];
    const builder = x.builder;
    const full = whole(dy, node);
    const zeros = (count: number): Value => builder.int64(new Array<number>(count).fill(0));
    const [before, after] = leftOut(builder, x.shape[axis]!, full.shape[axis]!, start, end);
    const parts = [zeros(axis), before, zeros(x.rank - 1), after, zeros(x.rank - 1 - axis)].filter(
      (part) => part.shape[0] !== 0,
    );
    const pads = parts.every((part) => part.constant)
      ? builder.int64(parts.flatMap((part) => Array.from(part.constant as BigInt64Array, Number)))
      : concat(parts, 0);
    return [pad(full, pads, x.shape)];
  },
  cases: ({ normal, named }) => ({
    slice: { samples: { x: normal(2, 4) }, build: ({ x }) => slice(x!, 1, 1, 3) },
    "slice, from the end": { samples: { x: normal(2, 4) }, build: ({ x }) => slice(x!, 1, -3, -1) },
    "slice, a name": {
      samples: { x: named(normal(5, 2), "T") },
      build: ({ x }) =>
        concat([slice(x!, 0, 1), slice(x!, 0, 0, -1), slice(x!, 0, -2), slice(x!, 0, 1, 3), slice(x!, 0, -3, -1)], 0),
    },
  }),
});

/** x in the midst of zeros: so many in front of each axis and then behind each, as an int64 vector. */
const pad: Operation<[x: Value, pads: Value, shape: Shape]> = operation({
  name: "Pad",
  infer: (x: Value, pads: Value, shape: Shape) => ({
    inputs: [x, pads, x.builder.scalar(0, x.type)],
    type: x.type,
    shape,
  }),
});

/** How many elements a slice left out in front and behind, as int64 vectors of one element. */
function leftOut(
  builder: GraphBuilder,
  size: Dimension,
  length: Dimension,
  start: number,
  end: number,
): [Value, Value] {
  const minus = (a: Value, b: Value): Value => builder.one("Sub", [a, b], "int64", [1]);
  if (typeof size === "number" && typeof length === "number") {
    const before = Math.min(size, start < 0 ? Math.max(0, start + size) : start);
    return [builder.int64([before]), builder.int64([size - length - before])];
  }
  const all = builder.dimension(size);
  const kept = builder.dimension(length);
  if (start >= 0) return [builder.int64([start]), minus(minus(all, kept), builder.int64([start]))];
  if (end === Number.MAX_SAFE_INTEGER) return [minus(all, kept), builder.int64([0])];
  const before = minus(all, builder.int64([-start]));
  return [before, minus(minus(all, kept), before)];
}
