import type { Value } from "../builder.js";
import { add, mul, sub } from "./arithmetic.js";
import { equal, greater, less } from "./compare.js";
import { type Binary, binary, broadcastCases, type Unary, unary } from "./elementwise.js";
import { where } from "./where.js";

/** |x|. Its gradient at zero is zero, as PyTorch has it. */
export const abs: Unary = unary("Abs", {
  memory: "elementwise",
  anyType: true,
  gradient: (dy, x) => sub(where(greater(x, 0), dy, 0), where(less(x, 0), dy, 0)),
  cases: ({ away }) => ({ abs: { samples: { x: away(0.1, 2, 5) }, build: ({ x }) => abs(x!) } }),
});

/** max(x, 0). Its gradient at zero is zero. */
export const relu: Unary = unary("Relu", {
  memory: "elementwise",
  gradient: (dy, _x, y) => where(greater(y, 0), dy, 0),
  cases: ({ away }) => ({ relu: { samples: { x: away(0.1, 3, 4) }, build: ({ x }) => relu(x!) } }),
});

/** The largest whole number that is not larger. Its gradient is zero. */
export const floor: Unary = unary("Floor", {
  gradient: () => undefined,
  cases: ({ away }) => ({
    "floor passes nothing on": { samples: { x: away(0.1, 5) }, build: ({ x }) => add(floor(x!), x!) },
  }),
});

/**
 * dy where one operand alone gave the result, half of it where both did: PyTorch's rule for `maximum` and `minimum`.
 */
function chosen(dy: Value, won: Value, a: Value, b: Value): Value {
  return where(won, dy, where(equal(a, b), mul(dy, 0.5), 0));
}

/** The larger, broadcast. Equal operands have half the gradient each. */
export const maximum: Binary = binary("Max", {
  gradient: [(dy, a, b) => chosen(dy, greater(a, b), a, b), (dy, a, b) => chosen(dy, greater(b, a), a, b)],
  cases: ({ normal }) => broadcastCases("maximum", maximum, normal, normal),
});

/** The smaller, broadcast. Equal operands have half the gradient each. */
export const minimum: Binary = binary("Min", {
  gradient: [(dy, a, b) => chosen(dy, less(a, b), a, b), (dy, a, b) => chosen(dy, less(b, a), a, b)],
  cases: ({ normal }) => broadcastCases("minimum", minimum, normal, normal),
});
