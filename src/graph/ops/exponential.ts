import { div, mul, neg, sub } from "./arithmetic.js";
import { type Unary, unary } from "./elementwise.js";

/** e to the power x. */
export const exp: Unary = unary("Exp", {
  memory: "elementwise",
  gradient: (dy, _x, y) => mul(dy, y),
  cases: ({ normal }) => ({ exp: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => exp(x!) } }),
});

/** The natural logarithm. */
export const log: Unary = unary("Log", {
  gradient: (dy, x) => div(dy, x),
  cases: ({ positive }) => ({ log: { samples: { x: positive(7) }, build: ({ x }) => log(x!) } }),
});

/** The hyperbolic tangent. */
export const tanh: Unary = unary("Tanh", {
  memory: "elementwise",
  gradient: (dy, _x, y) => mul(dy, sub(1, mul(y, y))),
  cases: ({ normal }) => ({ tanh: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => tanh(x!) } }),
});

/** 1 / (1 + exp(−x)). */
export const sigmoid: Unary = unary("Sigmoid", {
  memory: "elementwise",
  gradient: (dy, _x, y) => mul(mul(dy, y), sub(1, y)),
  cases: ({ normal }) => ({ sigmoid: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => sigmoid(x!) } }),
});

/** The error function. On the CPU float32 only. */
export const erf: Unary = unary("Erf", {
  gradient: (dy, x) => mul(mul(dy, 2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x)))),
  cases: ({ normal }) => ({ erf: { samples: { x: normal(2, 3) }, build: ({ x }) => erf(x!), float32: true } }),
});
