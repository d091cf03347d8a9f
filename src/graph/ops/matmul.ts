import { type Attributes, float, floatAttribute, int, intAttribute, ints } from "../attributes.js";
import { buildError, type GraphNode, type Value } from "../builder.js";
import type { Lowering } from "../lower.js";
import { type Case, type Operation, operation, type SampleMakers } from "../operation.js";
import { broadcast, type Dimension, sameShape } from "../shape.js";
import { isFloat } from "../types.js";
import { sumTo, whole } from "./gradient-shapes.js";
import { reshape } from "./reshape.js";

export interface MatmulOptions {
  /** Use aᵀ (its last two axes swapped). */
  readonly transA?: boolean;
  /** Use bᵀ. */
  readonly transB?: boolean;
  /** Multiplies the product. */
  readonly alpha?: number;
}

function lastTwo(x: Value, transposed: boolean): [Dimension, Dimension] {
  const [rows, columns] = [x.dimension(-2), x.dimension(-1)];
  return transposed ? [columns, rows] : [rows, columns];
}

/**
 * The matrix product of the last two axes, [..., m, k] × [..., k, n] → [..., m, n]; leading axes broadcast.
 * The flags and `alpha` cost nothing on the CPU: use them rather than `transpose` and `mul`.
 */
export const matmul: Operation<[a: Value, b: Value, options?: MatmulOptions]> = operation({
  name: "MatMul",
  infer: (a: Value, b: Value, { transA = false, transB = false, alpha = 1 }: MatmulOptions = {}) => {
    if (a.type !== b.type) throw buildError("MatMul", [a, b], "the types differ");
    if (!isFloat(a.type)) throw buildError("MatMul", [a, b], "needs a floating type");
    if (a.rank < 2 || b.rank < 2) throw buildError("MatMul", [a, b], "both operands need two axes or more");
    const [m, k] = lastTwo(a, transA);
    const [inner, n] = lastTwo(b, transB);
    if (k !== inner) {
      const flags = `${transA ? " with transA" : ""}${transB ? " with transB" : ""}`;
      throw buildError("MatMul", [a, b], `the inner dimensions ${k} and ${inner} differ${flags}`);
    }
    const lead = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!lead) throw buildError("MatMul", [a, b], "the leading axes do not broadcast");
    const attributes = { transA: int(transA), transB: int(transB), alpha: float(alpha) };
    return { inputs: [a, b], type: a.type, shape: [...lead, m, n], attributes };
  },
  gradient: (dy, node, needed) => productGradients(node, whole(dy, node), needed),
  lower: lowerProduct,
  cases: matmulCases,
});

/** alpha · a·b + c for matrices; c broadcasts to the product's shape. */
export const gemm: Operation<[a: Value, b: Value, c: Value, options?: MatmulOptions]> = operation({
  name: "Gemm",
  infer: (a: Value, b: Value, c: Value, { transA = false, transB = false, alpha = 1 }: MatmulOptions = {}) => {
    if (a.rank !== 2 || b.rank !== 2) throw buildError("Gemm", [a, b, c], "a and b need two axes");
    if (a.type !== b.type || a.type !== c.type) throw buildError("Gemm", [a, b, c], "the types differ");
    if (!isFloat(a.type)) throw buildError("Gemm", [a, b, c], "needs a floating type");
    const [m, k] = lastTwo(a, transA);
    const [inner, n] = lastTwo(b, transB);
    if (k !== inner) throw buildError("Gemm", [a, b, c], `the inner dimensions ${k} and ${inner} differ`);
    const shape = broadcast([m, n], c.shape);
    if (!shape || !sameShape(shape, [m, n])) throw buildError("Gemm", [a, b, c], "c does not broadcast to the product");
    const attributes = { transA: int(transA), transB: int(transB), alpha: float(alpha) };
    return { inputs: [a, b, c], type: a.type, shape: [m, n], attributes };
  },
  gradient: (dy, node, needed) => {
    const full = whole(dy, node);
    const products = productGradients(node, full, needed);
    return [...products, needed[2] ? sumTo(full, full.shape, node.inputs[2]!.shape) : undefined];
  },
  cases: ({ normal }) => ({
    gemm: { samples: { a: normal(3, 4), b: normal(4, 2), c: normal(2) }, build: ({ a, b, c }) => gemm(a!, b!, c!) },
    "gemm, flags": {
      samples: { a: normal(4, 3), b: normal(2, 4), c: normal(3, 1) },
      build: ({ a, b, c }) => gemm(a!, b!, c!, { transA: true, transB: true, alpha: 0.5 }),
    },
  }),
});

interface Product {
  readonly a: Value;
  readonly b: Value;
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
}

/** Two products with transpose flags: nothing is transposed in memory. */
function productGradients(node: GraphNode, dy: Value, needed: readonly boolean[]): (Value | undefined)[] {
  const [a, b] = node.inputs as [Value, Value];
  const product = {
    a,
    b,
    transA: intAttribute(node, "transA") === 1,
    transB: intAttribute(node, "transB") === 1,
    alpha: floatAttribute(node, "alpha"),
  };
  return [needed[0] ? leftGradient(product, dy) : undefined, needed[1] ? rightGradient(product, dy) : undefined];
}

function leftGradient({ a, b, transA, transB, alpha }: Product, dy: Value): Value {
  const da = transA
    ? matmul(b, dy, { transA: transB, transB: true, alpha })
    : matmul(dy, b, { transB: !transB, alpha });
  return sumTo(da, da.shape, a.shape);
}

function rightGradient({ a, b, transA, transB, alpha }: Product, dy: Value): Value {
  // One product over all rows instead of one for each leading index and a sum of them.
  const flatten = b.rank === 2 && a.rank > 2 && !transA;
  const x = flatten ? reshape(a, [-1, a.dimension(-1)]) : a;
  const g = flatten ? reshape(dy, [-1, dy.dimension(-1)]) : dy;
  const db = transB ? matmul(g, x, { transA: true, transB: transA, alpha }) : matmul(x, g, { transA: !transA, alpha });
  return sumTo(db, db.shape, b.shape);
}

/** ONNX's MatMul has no flags: Gemm has them for matrices, the runtime's FusedMatMul for stacks of them. */
function lowerProduct(node: GraphNode, lowering: Lowering): void {
  const [a, b] = node.inputs as [Value, Value];
  const out = node.outputs[0]!;
  const transA = intAttribute(node, "transA");
  const transB = intAttribute(node, "transB");
  const alpha = floatAttribute(node, "alpha");
  const flags = { transA: int(transA), transB: int(transB), alpha: float(alpha) };
  if (!transA && !transB && alpha === 1) {
    lowering.push("MatMul", [a.name, b.name], [out.name]);
  } else if (a.rank === 2 && b.rank === 2) {
    lowering.push("Gemm", [a.name, b.name], [out.name], flags);
  } else if (b.rank === 2 && !transA && typeof a.dimension(-1) === "number") {
    rowsGemm(lowering, a, b, out, flags);
  } else if (lowering.has("FusedMatMul") && a.type === "float32") {
    lowering.push("FusedMatMul", [a.name, b.name], [out.name], flags, "com.microsoft");
  } else {
    const left = transA ? swapLastTwo(lowering, a) : a.name;
    const right = transB ? swapLastTwo(lowering, b) : b.name;
    const product = alpha === 1 ? out.name : lowering.fresh("product");
    lowering.push("MatMul", [left, right], [product]);
    if (alpha !== 1) lowering.push("Mul", [product, lowering.constant([alpha], a.type, [])], [out.name]);
  }
}

/** [..., k] × a matrix: one Gemm over all rows; the reshapes copy nothing. */
function rowsGemm(lowering: Lowering, a: Value, b: Value, out: Value, flags: Attributes): void {
  const flat = lowering.constant([-1, a.dimension(-1) as number], "int64");
  const rows = lowering.push("Reshape", [a.name, flat], [lowering.fresh("rows")]);
  const product = lowering.push("Gemm", [rows, b.name], [lowering.fresh("product")], flags);
  let shape: string;
  if (out.shape.every((dimension) => typeof dimension === "number"))
    shape = lowering.constant(out.shape as number[], "int64");
  else {
    const leading = { start: int(0), end: int(a.rank - 1) };
    const lead = lowering.push("Shape", [a.name], [lowering.fresh("lead")], leading);
    const parts = [lead, lowering.constant([-1], "int64")];
    shape = lowering.push("Concat", parts, [lowering.fresh("shape")], { axis: int(0) });
  }
  lowering.push("Reshape", [product, shape], [out.name]);
}

function swapLastTwo(lowering: Lowering, x: Value): string {
  const order = [...x.shape.keys()];
  [order[x.rank - 1], order[x.rank - 2]] = [x.rank - 2, x.rank - 1];
  return lowering.push("Transpose", [x.name], [lowering.fresh("transposed")], { perm: ints(order) });
}

function matmulCases({ normal }: SampleMakers): Record<string, Case> {
  const product = (a: readonly number[], b: readonly number[], options?: MatmulOptions): Case => ({
    samples: { a: normal(...a), b: normal(...b) },
    build: ({ a, b }) => matmul(a!, b!, options),
  });
  const cases: Record<string, Case> = {
    matmul: product([3, 4], [4, 2]),
    "matmul, batched": product([2, 3, 4], [2, 4, 5]),
    "matmul, rows by a matrix": product([2, 3, 4], [4, 5]),
    "matmul, leading axes broadcast": product([2, 1, 3, 4], [3, 4, 2]),
    "matmul, one for all": product([3, 4], [2, 4, 2]),
  };
  for (const [transA, transB] of [
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const flags = `${transA ? " transA" : ""}${transB ? " transB" : ""}`;
    const left = transA ? [4, 3] : [3, 4];
    const right = transB ? [5, 4] : [4, 5];
    cases[`matmul${flags}`] = product(left, right, { transA, transB, alpha: 0.3 });
    cases[`matmul${flags}, batched`] = product([2, ...left], [2, ...right], { transA, transB });
    cases[`matmul${flags}, stacked by a matrix`] = product([2, ...left], right, { transA, transB, alpha: 2 });
  }
  return cases;
}
