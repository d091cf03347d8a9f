import type { Value } from "../builder.js";
import { customGradient } from "../custom-gradient.js";
import { composed, type Operation } from "../operation.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import type { Unary } from "../ops/elementwise.js";
import { erf, sigmoid, tanh } from "../ops/exponential.js";

const ROOT = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/**
 * x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))): `gelu_new`, also known as gelu_pytorch_tanh. Computed as
 * x · sigmoid of twice the tanh's argument, which is the same and takes fewer passes over memory.
 */
export const geluTanh: Unary = composed({
  name: "geluTanh",
  build: (x: Value): Value => {
    let squared: Value, gate: Value, y: Value;
    const build = (): Value => {
      squared = mul(x, x);
      gate = sigmoid(mul(x, add(mul(squared, 2 * ROOT * CUBIC), 2 * ROOT)));
      return (y = mul(x, gate));
    };
    return customGradient("geluTanh", [x], build, (dy) => {
      const slope = add(mul(squared, 6 * ROOT * CUBIC), 2 * ROOT);
      return [mul(dy, add(gate, mul(mul(y, sub(1, gate)), slope)))];
    });
  },
  cases: ({ normal }) => ({ geluTanh: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => geluTanh(x!) } }),
});

/** x/2 · (1 + erf(x/√2)). */
export const geluErf: Unary = composed({
  name: "geluErf",
  build: (x: Value): Value => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)),
  cases: ({ normal }) => ({ geluErf: { samples: { x: normal(2, 3) }, build: ({ x }) => geluErf(x!), float32: true } }),
});

/** x · sigmoid(x). */
export const silu: Unary = composed({
  name: "silu",
  build: (x: Value): Value => mul(x, sigmoid(x)),
  cases: ({ normal }) => ({ silu: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => silu(x!) } }),
});

/** cap · tanh(x / cap): close to x where x is small, never beyond ±cap. */
export const softcap: Operation<[x: Value, cap: number]> = composed({
  name: "softcap",
  build: (x: Value, cap: number): Value => mul(tanh(div(x, cap)), cap),
  cases: ({ normal }) => ({
    softcap: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => softcap(mul(x!, 40), 30) },
  }),
});
