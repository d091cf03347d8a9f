import { constantInts, int, intAttribute } from "../attributes.js";
import type { GraphNode, Value } from "../builder.js";
import { type Case, type Cases, type OneGradientRule, type Operation, operation } from "../operation.js";
import { axisOf, type Dimension, productOf } from "../shape.js";
import { add, div, mul } from "./arithmetic.js";
import { cast } from "./cast.js";
import { equal } from "./compare.js";
import { concat } from "./concat.js";
import { withRank } from "./gradient-shapes.js";
import { matmul } from "./matmul.js";
import { reshape } from "./reshape.js";
import { squeeze, unsqueeze } from "./squeeze.js";
import { transpose } from "./transpose.js";

export interface ReduceOptions {
  /** Keep the reduced axes, of one element each. */
  readonly keepAxes?: boolean;
}

type Reduction = Operation<[x: Value, axes?: readonly number[], options?: ReduceOptions]>;

function reduction(name: string, spec: { readonly gradient: OneGradientRule; readonly cases: Cases }): Reduction {
  return operation({
    name,
    ...spec,
    infer: (x: Value, axes?: readonly number[], { keepAxes = false }: ReduceOptions = {}) => {
      const all = axes ?? [...x.shape.keys()];
      const reduced = [...new Set(all.map((axis) => axisOf(axis, x.rank, name)))].sort((a, b) => a - b);
      if (reduced.length === 0) return x;
      const shape: Dimension[] = [];
      x.shape.forEach((dimension, axis) => {
        if (!reduced.includes(axis)) shape.push(dimension);
        else if (keepAxes) shape.push(1);
      });
      return { inputs: [x, x.builder.int64(reduced)], type: x.type, shape, attributes: { keepdims: int(keepAxes) } };
    },
  });
}

/** The sum over some axes, or over all. */
export const reduceSum: Reduction = reduction("ReduceSum", {
  gradient: (dy, node) => [unreduced(node, dy)],
  cases: reductionCases("sum", () => reduceSum),
});

/** The mean over some axes, or over all. */
export const reduceMean: Reduction = reduction("ReduceMean", {
  gradient: (dy, node) => [div(unreduced(node, dy), count(node))],
  cases: reductionCases("mean", () => reduceMean),
});

/** The largest over some axes, or over all; ties share its gradient equally. */
export const reduceMax: Reduction = reduction("ReduceMax", {
  gradient: (dy, node) => {
    const x = node.inputs[0]!;
    const largest = cast(equal(x, keptAxes(node)), x.type);
    const ties = reduceSum(largest, constantInts(node, 1), { keepAxes: true });
    return [mul(largest, div(unreduced(node, dy), ties))];
  },
  cases: reductionCases("max", () => reduceMax),
});

/** A gradient of the reduced value, with the reduced axes back as axes of one element. */
function unreduced(node: GraphNode, value: Value): Value {
  if (value.rank === 0 || intAttribute(node, "keepdims") === 1) return value;
  const axes = constantInts(node, 1);
  return unsqueeze(withRank(value, node.outputs[0]!.rank), axes);
}

/** How many elements went into each reduced one, in the gradient's type. */
function count(node: GraphNode): Value {
  const x = node.inputs[0]!;
  const size = productOf(constantInts(node, 1).map((axis) => x.shape[axis]!));
  if (typeof size === "number") return x.builder.scalar(size, x.type);
  return cast(squeeze(x.builder.dimension(size), [0]), x.type);
}

/** The reduced value with its reduced axes as axes of one element. */
function keptAxes(node: GraphNode): Value {
  const y = node.outputs[0]!;
  const axes = constantInts(node, 1);
  if (intAttribute(node, "keepdims") === 1) return y;
  const ones = axes.map(() => 1);
  return y.rank === 0 ? reshape(y, ones) : unsqueeze(y, axes);
}

function reductionCases(name: string, operationOf: () => Reduction): Cases {
  return ({ normal, named }): Record<string, Case> => {
    const reduce = operationOf();
    const x = normal(2, 3, 4);
    return {
      [`reduce ${name}`]: { samples: { x }, build: ({ x }) => reduce(x!, [1]) },
      [`reduce ${name}, axes kept`]: { samples: { x }, build: ({ x }) => reduce(x!, [0, 2], { keepAxes: true }) },
      [`reduce ${name}, all`]: { samples: { x }, build: ({ x }) => reduce(x!) },
      [`reduce ${name}, then used`]: {
        samples: { x },
        build: ({ x }) => matmul(mul(x!, reduce(x!, [-1], { keepAxes: true })), transpose(x!)),
      },
      [`reduce ${name}, a name`]: {
        samples: { x: named(normal(3, 2), "B") },
        build: ({ x }) => mul(reduce(x!, [0]), 3),
      },
      [`reduce ${name}, of a broadcast sum`]: {
        samples: { a: normal(3, 1), b: normal(4) },
        build: ({ a, b }) => reduce(add(a!, b!), [0]),
      },
      [`reduce ${name}, moved first`]: {
        samples: { x },
        build: ({ x }) => reduce(reshape(transpose(concat([x!, x!], 0)), [-1])),
      },
      [`reduce ${name}, of a named broadcast`]: {
        samples: { a: named(normal(3, 1), "B", ""), b: named(normal(1, 4), "", "T") },
        build: ({ a, b }) => reduce(add(a!, b!)),
      },
    };
  };
}
