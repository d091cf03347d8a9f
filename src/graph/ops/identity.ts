import type { Value } from "../builder.js";
import { composed, type Operation, operation } from "../operation.js";
import { mul } from "./arithmetic.js";

/** A copy of x under another name. */
export const identity: Operation<[x: Value]> = operation({
  name: "Identity",
  memory: "view",
  infer: (x: Value) => ({ inputs: [x], type: x.type, shape: x.shape }),
  gradient: (dy) => [dy],
  cases: ({ normal }) => ({ identity: { samples: { x: normal(2, 3, 4) }, build: ({ x }) => identity(x!) } }),
});

/** x as it is; no gradient flows through it. */
export const stopGradient: Operation<[x: Value]> = composed({
  name: "stopGradient",
  build: (x: Value): Value => {
    const build = (): Value[] => [x];
    return x.builder.region("stopGradient", [], build, () => [], { stop: true })[0]!;
  },
  cases: ({ normal }) => ({
    stopGradient: {
      samples: { x: normal(2, 3), y: { ...normal(2, 3), checked: false } },
      build: ({ x, y }) => mul(stopGradient(y!), x!),
    },
  }),
});
