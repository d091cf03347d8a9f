import { mul, neg } from "./arithmetic.js";
import { type Unary, unary } from "./elementwise.js";

/** The sine, of radians. WGSL promises it to 2⁻¹¹ only. */
export const sin: Unary = unary("Sin", {
  gradient: (dy, x) => mul(dy, cos(x)),
  cases: ({ normal }) => ({ sin: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => sin(x!) } }),
});

/** The cosine, of radians. WGSL promises it to 2⁻¹¹ only. */
export const cos: Unary = unary("Cos", {
  gradient: (dy, x) => neg(mul(dy, sin(x))),
  cases: ({ normal }) => ({ cos: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => cos(x!) } }),
});
