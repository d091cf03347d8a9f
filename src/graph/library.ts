import type { Value } from "./builder.js";
import { customGradient } from "./custom-gradient.js";
import { GraphError } from "./errors.js";
import { add, div, erf, exp, log, mul, reciprocal, sigmoid, sqrt, square, sub, tanh } from "./ops/elementwise.js";
import { gatherElements, scatterAddElements } from "./ops/gather.js";
import { expand, reshape, unsqueeze } from "./ops/layout.js";
import { reduceMax, reduceMean, reduceSum } from "./ops/reduce.js";

/** x / √(mean of x² over the last axis + epsilon) · weight: the norm of T5 and of Gemma (whose weight is stored less 1). */
export function rmsNorm(x: Value, weight: Value, epsilon: number): Value {
  const inverse = reciprocal(sqrt(add(reduceMean(square(x), [-1], { keepAxes: true }), epsilon)));
  return mul(mul(x, inverse), weight);
}

const ROOT = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/**
 * x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))): `gelu_new`, also known as gelu_pytorch_tanh. Computed as
 * x · sigmoid of twice the tanh's argument, which is the same and takes fewer passes over memory.
 */
export function geluTanh(x: Value): Value {
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
}

/** x/2 · (1 + erf(x/√2)). */
export function geluErf(x: Value): Value {
  return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
}

/** x · sigmoid(x). */
export function silu(x: Value): Value {
  return mul(x, sigmoid(x));
}

/** cap · tanh(x / cap): close to x where x is small, never beyond ±cap. */
export function softcap(x: Value, cap: number): Value {
  return mul(tanh(div(x, cap)), cap);
}

/**
 * −log softmax(logits)[target] for each row: logits [rows, classes] and targets [rows] (int64 or int32, each a class)
 * to losses [rows]. Large logits do not overflow. Its gradient costs two passes over the logits.
 */
export function crossEntropy(logits: Value, targets: Value): Value {
  if (logits.rank !== 2 || targets.rank !== 1)
    throw new GraphError(
      `crossEntropy: logits ${logits.describe()} are no matrix, or targets ${targets.describe()} no vector`,
    );
  const column = unsqueeze(targets, [1]);
  const rows = logits.dimension(0);
  let powers: Value, sum: Value;
  const build = (): Value => {
    const largest = reduceMax(logits, [1], { keepAxes: true });
    powers = exp(sub(logits, largest));
    sum = reduceSum(powers, [1], { keepAxes: true });
    return reshape(sub(add(log(sum), largest), gatherElements(logits, column, 1)), [rows]);
  };
  return customGradient("crossEntropy", [logits], build, (dy) => {
    const perRow = reshape(expand(dy, [rows]), [rows, 1]);
    return [scatterAddElements(mul(powers, div(perRow, sum)), column, mul(perRow, -1), 1)];
  });
}
