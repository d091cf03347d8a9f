import { buildError, type Value } from "../builder.js";
import { type Case, type Cases, type Operation, operation } from "../operation.js";
import { broadcast } from "../shape.js";
import { type Binary, binary } from "./elementwise.js";

/** A comparison on samples among which some elements are equal. */
function compared(name: string, build: (a: Value, b: Value) => Value): Cases {
  return ({ integers }) => ({
    [name]: {
      samples: {
        a: { ...integers(3, 4, 5), type: "float64", checked: false },
        b: { ...integers(3, 5), type: "float64", checked: false },
      },
      build: ({ a, b }) => build(a!, b!),
      gradient: false,
    },
  });
}

function comparison(name: string, what: string, build: () => Binary): Binary {
  return binary(name, { type: "bool", cases: compared(what, (a, b) => build()(a, b)) });
}

/** a = b, broadcast: bool. */
export const equal: Binary = comparison("Equal", "equal", () => equal);
/** a < b, broadcast: bool. */
export const less: Binary = comparison("Less", "less", () => less);
/** a ≤ b, broadcast: bool. */
export const lessOrEqual: Binary = comparison("LessOrEqual", "lessOrEqual", () => lessOrEqual);
/** a > b, broadcast: bool. */
export const greater: Binary = comparison("Greater", "greater", () => greater);
/** a ≥ b, broadcast: bool. */
export const greaterOrEqual: Binary = comparison("GreaterOrEqual", "greaterOrEqual", () => greaterOrEqual);

function logicCase(build: (a: Value, b: Value) => Value): (cases: Parameters<Cases>[0]) => Case {
  return ({ integers }) => ({
    samples: { a: { ...integers(2, 4, 5), type: "bool" }, b: { ...integers(2, 5), type: "bool" } },
    build: ({ a, b }) => build(a!, b!),
    gradient: false,
  });
}

function logic(name: string, cases: Cases): Operation<[a: Value, b: Value]> {
  return operation({
    name,
    infer: (a: Value, b: Value) => {
      const shape = broadcast(a.shape, b.shape);
      if (a.type !== "bool" || b.type !== "bool") throw buildError(name, [a, b], "needs bool");
      if (!shape) throw buildError(name, [a, b], "the shapes do not broadcast");
      return { inputs: [a, b], type: "bool", shape };
    },
    cases,
  });
}

/** Both, broadcast; of bool. */
export const and: Operation<[a: Value, b: Value]> = logic("And", (make) => ({
  and: logicCase((a, b) => and(a, b))(make),
}));
/** One of them or both, broadcast; of bool. */
export const or: Operation<[a: Value, b: Value]> = logic("Or", (make) => ({
  or: logicCase((a, b) => or(a, b))(make),
}));

/** What is not; of bool. */
export const not: Operation<[x: Value]> = operation({
  name: "Not",
  infer: (x: Value) => {
    if (x.type !== "bool") throw buildError("Not", [x], "needs bool");
    return { inputs: [x], type: "bool", shape: x.shape };
  },
  cases: ({ integers }) => ({
    not: { samples: { x: { ...integers(2, 4, 5), type: "bool" } }, build: ({ x }) => not(x!), gradient: false },
  }),
});
