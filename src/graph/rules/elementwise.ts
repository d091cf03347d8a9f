import type { GraphNode, Value } from "../builder.js";
import { cast, cos, div, exp, greater, less, log, mul, neg, pow, sin, sub, where } from "../ops/elementwise.js";
import { type Rule, single, sumTo } from "./rule.js";

/** A binary operation from the gradients with respect to its stretched operands. */
function binary(
  left: (dy: Value, a: Value, b: Value, y: Value) => Value,
  right: (dy: Value, a: Value, b: Value, y: Value) => Value,
): Rule {
  return single((node, dy, needed) => {
    const [a, b] = node.inputs as [Value, Value];
    const y = node.outputs[0]!;
    return [
      needed[0] ? sumTo(left(dy, a, b, y), y.shape, a.shape) : undefined,
      needed[1] ? sumTo(right(dy, a, b, y), y.shape, b.shape) : undefined,
    ];
  });
}

function unary(gradient: (dy: Value, x: Value, y: Value) => Value): Rule {
  return single((node, dy) => [gradient(dy, node.inputs[0]!, node.outputs[0]!)]);
}

const product: Rule = (node, gradients, needed) => {
  const [a, b] = node.inputs as [Value, Value];
  // a square: one product instead of two and a sum
  if (a === b) return [mul(mul(gradients[0]!, 2), a), undefined];
  return binary(
    (dy, _, y) => mul(dy, y),
    (dy, x) => mul(dy, x),
  )(node, gradients, needed);
};

const power = binary(
  (dy, a, b) => {
    const exponent = b.constant?.length === 1 ? Number(b.constant[0]) : undefined;
    if (exponent === 2) return mul(mul(dy, 2), a);
    return mul(mul(dy, b), pow(a, exponent === undefined ? sub(b, 1) : exponent - 1));
  },
  (dy, a, _, y) => mul(dy, mul(y, log(a))),
);

const choose = single((node: GraphNode, dy, needed) => {
  const [condition, a, b] = node.inputs as [Value, Value, Value];
  const { shape } = node.outputs[0]!;
  return [
    undefined,
    needed[1] ? sumTo(where(condition, dy, 0), shape, a.shape) : undefined,
    needed[2] ? sumTo(where(condition, 0, dy), shape, b.shape) : undefined,
  ];
});

/** Gradient rules of operations that work element by element. */
export const elementwiseRules: Readonly<Record<string, Rule>> = {
  Add: binary(
    (dy) => dy,
    (dy) => dy,
  ),
  Sub: binary(
    (dy) => dy,
    (dy) => neg(dy),
  ),
  Mul: product,
  Div: binary(
    (dy, _, b) => div(dy, b),
    (dy, _, b, y) => neg(div(mul(dy, y), b)),
  ),
  Pow: power,
  Neg: unary((dy) => neg(dy)),
  Abs: unary((dy, x) => sub(where(greater(x, 0), dy, 0), where(less(x, 0), dy, 0))),
  Sqrt: unary((dy, _, y) => div(mul(dy, 0.5), y)),
  Reciprocal: unary((dy, _, y) => neg(mul(dy, mul(y, y)))),
  Exp: unary((dy, _, y) => mul(dy, y)),
  Log: unary((dy, x) => div(dy, x)),
  Tanh: unary((dy, _, y) => mul(dy, sub(1, mul(y, y)))),
  Erf: unary((dy, x) => mul(mul(dy, 2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x))))),
  Sigmoid: unary((dy, _, y) => mul(mul(dy, y), sub(1, y))),
  Sin: unary((dy, x) => mul(dy, cos(x))),
  Cos: unary((dy, x) => neg(mul(dy, sin(x)))),
  Relu: unary((dy, _, y) => where(greater(y, 0), dy, 0)),
  Floor: single(() => [undefined]),
  Identity: unary((dy) => dy),
  Cast: unary((dy, x) => cast(dy, x.type)),
  Where: choose,
};
