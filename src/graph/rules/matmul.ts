import type { GraphNode, Value } from "../builder.js";
import { floatAttribute, intAttribute } from "../lower.js";
import { reshape } from "../ops/layout.js";
import { matmul } from "../ops/matmul.js";
import { type Rule, singleWhole, sumTo } from "./rule.js";

interface Product {
  readonly a: Value;
  readonly b: Value;
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
}

function productOfNode(node: GraphNode): Product {
  const [a, b] = node.inputs as [Value, Value];
  return {
    a,
    b,
    transA: intAttribute(node, "transA") === 1,
    transB: intAttribute(node, "transB") === 1,
    alpha: floatAttribute(node, "alpha"),
  };
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

/** Gradient rules of matrix products: two products with transpose flags, nothing transposed in memory. */
export const matmulRules: Readonly<Record<string, Rule>> = {
  MatMul: singleWhole((node, dy, needed) => {
    const product = productOfNode(node);
    return [needed[0] ? leftGradient(product, dy) : undefined, needed[1] ? rightGradient(product, dy) : undefined];
  }),
  Gemm: singleWhole((node, dy, needed) => {
    const product = productOfNode(node);
    const c = node.inputs[2]!;
    return [
      needed[0] ? leftGradient(product, dy) : undefined,
      needed[1] ? rightGradient(product, dy) : undefined,
      needed[2] ? sumTo(dy, dy.shape, c.shape) : undefined,
    ];
  }),
};
