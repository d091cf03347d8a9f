import { buildError, type Operand, type Value } from "../builder.js";
import { type Operation, operation } from "../operation.js";
import { broadcast } from "../shape.js";
import { greater } from "./compare.js";
import { broadcastCases, operands } from "./elementwise.js";
import { stopGradient } from "./identity.js";

/** a where the condition holds, else b; all three broadcast. */
export const where: Operation<[condition: Value, a: Operand, b: Operand]> = operation({
  name: "Where",
  infer: (condition: Value, a: Operand, b: Operand) => {
    if (condition.type !== "bool") throw buildError("Where", [condition], "the condition is not bool");
    const [x, y] = operands("Where", a, b);
    const branches = broadcast(x.shape, y.shape);
    const shape = branches && broadcast(condition.shape, branches);
    if (!shape) throw buildError("Where", [condition, x, y], "the shapes do not broadcast");
    return { inputs: [condition, x, y], type: x.type, shape };
  },
  operandGradients: [
    undefined,
    (dy, { inputs: [condition] }) => where(condition!, dy, 0),
    (dy, { inputs: [condition] }) => where(condition!, 0, dy),
  ],
  cases: ({ normal }) => ({
    ...broadcastCases("where", (a, b) => where(greater(stopGradient(b), 0), a, b), normal, normal),
    "where, a condition of its own": {
      samples: { a: normal(3, 1), b: normal(4), c: { ...normal(2, 1, 4), checked: false } },
      build: ({ a, b, c }) => where(greater(c!, 0), a!, b!),
    },
  }),
});
