import type { RegionBackward, Value } from "./builder.js";
import { GraphError } from "./errors.js";

/**
 * A piece of graph whose gradient is given: `build` makes the output from the inputs, and `backward` gives the
 * gradients of the inputs (undefined: zero) from the output's, which may have a smaller shape that broadcasts to the
 * output's. `needed` says which are asked for. Whatever `build` reads that has a gradient must be among the inputs;
 * else differentiating is an error.
 */
export function customGradient(
  name: string,
  inputs: readonly Value[],
  build: () => Value,
  backward: (outputGradient: Value, needed: readonly boolean[]) => readonly (Value | undefined)[],
): Value {
  const builder = inputs[0]?.builder;
  if (!builder) throw new GraphError(`${name}: no inputs`);
  const rule: RegionBackward = ([dy], needed) => backward(dy!, needed);
  return builder.region(name, inputs, () => [build()], rule)[0]!;
}
