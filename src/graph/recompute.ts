import { int } from "./attributes.js";
import type { GraphBuilder, Value } from "./builder.js";
import { GraphError } from "./errors.js";
import { gradientsFrom } from "./gradient.js";
import { reshape } from "./ops/reshape.js";
import { isFloat } from "./types.js";

/**
 * A block whose inner values are computed again for its gradient instead of being kept: its memory is free between
 * its forward and its backward, at the price of one more forward. `build` is called once now and once for the
 * gradient, and must make the same both times; what it reads that has a gradient must be among the inputs, and a
 * seed of dropout should be, so that its mask too is made anew.
 */
export function recompute(inputs: readonly Value[], build: (inputs: readonly Value[]) => readonly Value[]): Value[] {
  const builder = inputs[0]?.builder;
  if (!builder) throw new GraphError("recompute: no inputs");
  return builder.region(
    "recompute",
    inputs,
    () => build(inputs),
    (outputGradients, needed) => {
      // The runtime merges equal computations, which would keep the first one's values after all.
      builder.keepDuplicates = true;
      const moment = after(builder, outputGradients.find((gradient) => gradient !== undefined)!);
      const again = inputs.map((input) => (input.constant ? input : delayed(input, moment)));
      const outputs = build(again);
      const wanted = [...inputs.keys()].filter((i) => needed[i] && isFloat(inputs[i]!.type));
      const found = gradientsFrom(
        outputs,
        outputGradients,
        wanted.map((i) => again[i]!),
        { unreached: "zeros" },
      );
      const gradients: (Value | undefined)[] = inputs.map(() => undefined);
      wanted.forEach((i, at) => (gradients[i] = found[at]));
      return gradients;
    },
  );
}

/** An empty vector that is there once the value is: it orders the computation and carries nothing. */
function after(builder: GraphBuilder, value: Value): Value {
  return builder.one("Shape", [value], "int64", [0], { start: int(0), end: int(0) });
}

/** The value, not before the moment: a reshape to its own shape, which copies nothing. */
function delayed(value: Value, moment: Value): Value {
  const builder = value.builder;
  const shape = builder.one("Shape", [value], "int64", [value.rank]);
  const joined = builder.one("Concat", [shape, moment], "int64", [value.rank], { axis: int(0) });
  return builder.one(reshape.definition, [value, joined], value.type, value.shape);
}
