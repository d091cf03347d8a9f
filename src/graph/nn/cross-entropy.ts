import type { Value } from "../builder.js";
import { customGradient } from "../custom-gradient.js";
import { GraphError } from "../errors.js";
import { composed, type Operation } from "../operation.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { expand } from "../ops/expand.js";
import { exp, log } from "../ops/exponential.js";
import { gatherElements, scatterAddElements } from "../ops/gather.js";
import { reduceMax, reduceSum } from "../ops/reduce.js";
import { reshape } from "../ops/reshape.js";
import { unsqueeze } from "../ops/squeeze.js";

/**
 * −log softmax(logits)[target] for each row: logits [rows, classes] and targets [rows] (int64 or int32, each a class)
 * to losses [rows]. Large logits do not overflow. Its gradient costs two passes over the logits.
 */
export const crossEntropy: Operation<[logits: Value, targets: Value]> = composed({
  name: "crossEntropy",
  build: (logits: Value, targets: Value): Value => {
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
  },
  cases: ({ normal, integers, named }) => ({
    crossEntropy: { samples: { x: normal(4, 6), t: integers(6, 4) }, build: ({ x, t }) => crossEntropy(x!, t!) },
    "crossEntropy, summed": {
      samples: { x: named(normal(4, 6), "N"), t: named(integers(6, 4), "N") },
      build: ({ x, t }) => reduceSum(crossEntropy(mul(x!, 30), t!)),
    },
  }),
});
