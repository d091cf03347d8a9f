import type { Value } from "../builder.js";
import { broadcast } from "../shape.js";
import { div, mul, sub } from "./arithmetic.js";
import { type Binary, binary, broadcastCases, type Unary, unary } from "./elementwise.js";
import { expand } from "./expand.js";
import { log } from "./exponential.js";

/** WebGPU's Pow fails where a tensor is broadcast; a single number is fine. */
function broadcastFirst(a: Value, b: Value): readonly [Value, Value] {
  const shape = broadcast(a.shape, b.shape);
  return !shape || a.rank === 0 || b.rank === 0 ? [a, b] : [expand(a, shape), expand(b, shape)];
}

/** a to the power b, broadcast. */
export const pow: Binary = binary("Pow", {
  prepare: broadcastFirst,
  gradient: [
    (dy, a, b) => {
      const exponent = b.constant?.length === 1 ? Number(b.constant[0]) : undefined;
      if (exponent === 2) return mul(mul(dy, 2), a);
      return mul(mul(dy, b), pow(a, exponent === undefined ? sub(b, 1) : exponent - 1));
    },
    (dy, a, _b, y) => mul(dy, mul(y, log(a))),
  ],
  cases: ({ normal, positive }) => ({
    ...broadcastCases("pow", pow, positive, normal),
    "pow of 2": { samples: { x: normal(2, 3, 4) }, build: ({ x }) => pow(x!, 2) },
    "pow of 3": { samples: { x: normal(2, 3, 4) }, build: ({ x }) => pow(x!, 3) },
  }),
});

/** The square root. */
export const sqrt: Unary = unary("Sqrt", {
  memory: "elementwise",
  gradient: (dy, _x, y) => div(mul(dy, 0.5), y),
  cases: ({ positive }) => ({ sqrt: { samples: { x: positive(2, 3) }, build: ({ x }) => sqrt(x!) } }),
});
