import type { Value } from "../builder.js";
import { composed, type Operation } from "../operation.js";
import { add, mul, reciprocal, square } from "../ops/arithmetic.js";
import { sqrt } from "../ops/power.js";
import { reduceMean } from "../ops/reduce.js";

/**
 * x / √(mean of x² over the last axis + epsilon) · weight: the norm of T5 and of Gemma (whose weight is stored less 1).
 */
export const rmsNorm: Operation<[x: Value, weight: Value, epsilon: number]> = composed({
  name: "rmsNorm",
  build: (x: Value, weight: Value, epsilon: number): Value => {
    const inverse = reciprocal(sqrt(add(reduceMean(square(x), [-1], { keepAxes: true }), epsilon)));
    return mul(mul(x, inverse), weight);
  },
  cases: ({ normal }) => ({
    rmsNorm: { samples: { x: normal(2, 3, 5), w: normal(5) }, build: ({ x, w }) => rmsNorm(x!, w!, 1e-6) },
  }),
});
