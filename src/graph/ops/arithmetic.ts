import type { Value } from "../builder.js";
import { composed } from "../operation.js";
import { type Binary, binary, broadcastCases, type Unary, unary } from "./elementwise.js";
import { exp } from "./exponential.js";

/** a + b, broadcast as in numpy. */
export const add: Binary = binary("Add", {
  memory: "elementwise",
  gradient: [(dy) => dy, (dy) => dy],
  cases: ({ normal }) => ({
    ...broadcastCases("add", add, normal, normal),
    "a value used three times": { samples: { x: normal(2, 3) }, build: ({ x }) => mul(add(x!, exp(x!)), x!) },
    "numbers as operands": {
      samples: { x: normal(2, 3) },
      build: ({ x }) => sub(1, div(2, add(mul(x!, 3), 20))),
    },
  }),
});

/** a − b, broadcast. */
export const sub: Binary = binary("Sub", {
  memory: "elementwise",
  gradient: [(dy) => dy, (dy) => neg(dy)],
  cases: ({ normal }) => broadcastCases("sub", sub, normal, normal),
});

/** a · b elementwise, broadcast. */
export const mul: Binary = binary("Mul", {
  memory: "elementwise",
  // of a square: one product instead of two and a sum
  gradient: [
    (dy, a, b) => (a === b ? mul(mul(dy, 2), a) : mul(dy, b)),
    (dy, a, b) => (a === b ? undefined : mul(dy, a)),
  ],
  cases: ({ normal }) => broadcastCases("mul", mul, normal, normal),
});

/** a / b, broadcast; integers are divided towards zero. */
export const div: Binary = binary("Div", {
  memory: "elementwise",
  gradient: [(dy, _a, b) => div(dy, b), (dy, _a, b, y) => neg(div(mul(dy, y), b))],
  cases: ({ normal, positive }) => broadcastCases("div", div, normal, positive),
});

/** −x. */
export const neg: Unary = unary("Neg", {
  memory: "elementwise",
  anyType: true,
  gradient: (dy) => neg(dy),
  cases: ({ normal }) => ({ neg: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => neg(x!) } }),
});

/** 1 / x. */
export const reciprocal: Unary = unary("Reciprocal", {
  memory: "elementwise",
  gradient: (dy, _x, y) => neg(mul(dy, mul(y, y))),
  cases: ({ positive }) => ({ reciprocal: { samples: { x: positive(2, 3) }, build: ({ x }) => reciprocal(x!) } }),
});

/** x · x; its gradient costs one product. */
export const square: Unary = composed({
  name: "square",
  build: (x: Value): Value => mul(x, x),
  cases: ({ normal }) => ({ square: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => square(x!) } }),
});
