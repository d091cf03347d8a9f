import { buildError, float, int, type Value } from "../builder.js";
import { broadcast, type Dimension, sameShape } from "../shape.js";
import { isFloat } from "../types.js";

export interface MatmulOptions {
  /** Use aᵀ (its last two axes swapped). */
  readonly transA?: boolean;
  /** Use bᵀ. */
  readonly transB?: boolean;
  /** Multiplies the product. */
  readonly alpha?: number;
}

/**
 * The matrix product of the last two axes, [..., m, k] × [..., k, n] → [..., m, n]; leading axes broadcast.
 * The flags and `alpha` cost nothing on the CPU: use them rather than `transpose` and `mul`.
 */
export function matmul(a: Value, b: Value, { transA = false, transB = false, alpha = 1 }: MatmulOptions = {}): Value {
  if (a.type !== b.type) throw buildError("MatMul", [a, b], "the types differ");
  if (!isFloat(a.type)) throw buildError("MatMul", [a, b], "needs a floating type");
  if (a.rank < 2 || b.rank < 2) throw buildError("MatMul", [a, b], "both operands need two axes or more");
  const [m, k] = lastTwo(a, transA);
  const [inner, n] = lastTwo(b, transB);
  if (k !== inner) {
    throw buildError(
      "MatMul",
      [a, b],
      `the inner dimensions ${k} and ${inner} differ${transA ? " with transA" : ""}${transB ? " with transB" : ""}`,
    );
  }
  const lead = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (!lead) throw buildError("MatMul", [a, b], "the leading axes do not broadcast");
  return a.builder.one("MatMul", [a, b], a.type, [...lead, m, n], {
    transA: int(transA),
    transB: int(transB),
    alpha: float(alpha),
  });
}

function lastTwo(x: Value, transposed: boolean): [Dimension, Dimension] {
  const [rows, columns] = [x.dimension(-2), x.dimension(-1)];
  return transposed ? [columns, rows] : [rows, columns];
}

/** alpha · a·b + c for matrices; c broadcasts to the product's shape. */
export function gemm(
  a: Value,
  b: Value,
  c: Value,
  { transA = false, transB = false, alpha = 1 }: MatmulOptions = {},
): Value {
  if (a.rank !== 2 || b.rank !== 2) throw buildError("Gemm", [a, b, c], "a and b need two axes");
  if (a.type !== b.type || a.type !== c.type) throw buildError("Gemm", [a, b, c], "the types differ");
  if (!isFloat(a.type)) throw buildError("Gemm", [a, b, c], "needs a floating type");
  const [m, k] = lastTwo(a, transA);
  const [inner, n] = lastTwo(b, transB);
  if (k !== inner) throw buildError("Gemm", [a, b, c], `the inner dimensions ${k} and ${inner} differ`);
  const shape = broadcast([m, n], c.shape);
  if (!shape || !sameShape(shape, [m, n])) throw buildError("Gemm", [a, b, c], "c does not broadcast to the product");
  return a.builder.one("Gemm", [a, b, c], a.type, [m, n], {
    transA: int(transA),
    transB: int(transB),
    alpha: float(alpha),
  });
}
