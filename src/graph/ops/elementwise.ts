import { buildError, type GraphNode, type Operand, type Value } from "../builder.js";
import { type Cases, type Operation, type OperationDefinition, operation, type SampleMakers } from "../operation.js";
import { broadcast } from "../shape.js";
import { type ElementType, isFloat } from "../types.js";

/** An operation on each element of a tensor. */
export type Unary = Operation<[x: Value]>;
/** An operation on the elements of two tensors, broadcast as in numpy; a number takes the other operand's type. */
export type Binary = Operation<[a: Operand, b: Operand]>;

type Memory = OperationDefinition["memory"];

/** From dy, the operands and the result to the gradient of an operand as it was broadcast. */
type BinaryGradient = (dy: Value, a: Value, b: Value, y: Value) => Value | undefined;

/** The two operands as values of one type; a number takes the other's type. */
export function operands(name: string, a: Operand, b: Operand): [Value, Value] {
  if (typeof a === "number") {
    if (typeof b === "number") throw buildError(name, [], "both operands are numbers");
    return [b.builder.scalar(a, b.type), b];
  }
  const other = typeof b === "number" ? a.builder.scalar(b, a.type) : b;
  if (a.type !== other.type)
    throw buildError(name, [a, other], `the types ${a.type} and ${other.type} differ (cast one)`);
  return [a, other];
}

export function unary(
  name: string,
  spec: {
    readonly cases: Cases;
    readonly memory?: Memory;
    /** Whether it takes other types than floating ones. */
    readonly anyType?: boolean;
    readonly gradient?: (dy: Value, x: Value, y: Value) => Value | undefined;
  },
): Unary {
  const { cases, memory, anyType = false, gradient } = spec;
  return operation({
    name,
    memory,
    infer: (x: Value) => {
      if (!anyType && !isFloat(x.type)) throw buildError(name, [x], "needs a floating type");
      return { inputs: [x], type: x.type, shape: x.shape };
    },
    gradient: gradient && ((dy, node) => [gradient(dy, node.inputs[0]!, node.outputs[0]!)]),
    cases,
  });
}

export function binary(
  name: string,
  spec: {
    readonly cases: Cases;
    readonly memory?: Memory;
    /** The result's type where it is not the operands'. */
    readonly type?: ElementType;
    /** Gradients of the first and the second operand, before they are summed over axes that were broadcast. */
    readonly gradient?: readonly [BinaryGradient, BinaryGradient];
    /** Broadcasts both operands before the operation. */
    readonly prepare?: (a: Value, b: Value) => readonly [Value, Value];
  },
): Binary {
  const { cases, memory, type, gradient, prepare } = spec;
  return operation({
    name,
    memory,
    infer: (left: Operand, right: Operand) => {
      const given = operands(name, left, right);
      const shape = broadcast(given[0].shape, given[1].shape);
      if (!shape) throw buildError(name, given, "the shapes do not broadcast");
      const inputs = prepare ? prepare(...given) : given;
      return { inputs, type: type ?? given[0].type, shape };
    },
    operandGradients: gradient?.map((rule) => (dy: Value, node: GraphNode) => {
      const [a, b] = node.inputs as [Value, Value];
      return rule(dy, a, b, node.outputs[0]!);
    }),
    cases,
  });
}

/** A case for each way in which two shapes broadcast. */
export function broadcastCases(
  name: string,
  build: (a: Value, b: Value) => Value,
  left: SampleMakers["normal"],
  right: SampleMakers["normal"],
): Record<string, ReturnType<Cases>[string]> {
  const shapes: readonly (readonly [string, readonly number[], readonly number[]])[] = [
    ["equal shapes", [3, 4], [3, 4]],
    ["a row", [2, 3, 4], [4]],
    ["a column", [3, 4], [3, 1]],
    ["both broadcast", [3, 1, 2], [4, 1]],
    ["a scalar", [2, 3], []],
    ["a leading one", [1, 3], [3]],
  ];
  const made: Record<string, ReturnType<Cases>[string]> = {};
  for (const [what, one, other] of shapes) {
    for (const [a, b, swapped] of [
      [one, other, ""],
      [other, one, ", swapped"],
    ] as const)
      made[`${name}, ${what}${swapped}`] = {
        samples: { a: left(...a), b: right(...b) },
        build: ({ a, b }) => build(a!, b!),
      };
  }
  return made;
}
