import type { Attributes } from "./attributes.js";
import { type GraphBuilder, type GraphNode, type OutputSpec, Value } from "./builder.js";
import type { Lowering } from "./lower.js";
import type { Shape } from "./shape.js";
import type { ElementType } from "./types.js";

/** A tensor with its elements, to check an operation with. */
export interface Sample {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** float64 unless said. */
  readonly type?: ElementType;
  /** Names for dimensions, to build with where they differ from the numbers; "" keeps the number. */
  readonly names?: readonly string[];
  /** Whether its gradient is checked; true for floating types unless said. */
  readonly checked?: boolean;
}

/** Makers of samples of given shapes. */
export interface SampleMakers {
  /** Standard normal, float64. */
  normal(...shape: number[]): Sample;
  /** Between 0.5 and 2. */
  positive(...shape: number[]): Sample;
  /** Normal, but no closer than `distance` to a whole number. */
  away(distance: number, ...shape: number[]): Sample;
  /** int64 from 0 up to, not including, `end`. */
  integers(end: number, ...shape: number[]): Sample;
  /** The sample with names for its dimensions. */
  named(sample: Sample, ...names: string[]): Sample;
}

/** A piece of graph with samples for its inputs: one test of an operation, on every device. */
export interface Case {
  readonly samples: Readonly<Record<string, Sample>>;
  readonly build: (inputs: Readonly<Record<string, Value>>) => Value | readonly Value[];
  /** Checked in float32, where the runtime has no float64 kernel. */
  readonly float32?: boolean;
  /** False: nothing in it has a gradient, and only its values are compared. */
  readonly gradient?: false;
}

/** An operation's test cases by name; `make` draws their samples. */
export type Cases = (make: SampleMakers) => Readonly<Record<string, Case>>;

/**
 * From the gradients of a node's outputs (undefined: none reached it) to those of its inputs (undefined: not needed,
 * or zero). A gradient may have a smaller shape that broadcasts to its value's: a gradient of rows that are all alike
 * is not written out until something needs it so.
 */
export type GradientRule = (
  node: GraphNode,
  outputGradients: readonly (Value | undefined)[],
  needed: readonly boolean[],
) => readonly (Value | undefined)[];

/** The rule of an operation with one output, from that output's gradient. */
export type OneGradientRule = (
  dy: Value,
  node: GraphNode,
  needed: readonly boolean[],
) => readonly (Value | undefined)[];

/** The gradient of one operand of a broadcasting operation, in a shape that broadcasts to the result's. */
export type OperandGradient = (dy: Value, node: GraphNode) => Value | undefined;

/** What a node knows of its operation. */
export interface OperationDefinition {
  /** ONNX's name for it, or this engine's where it is composed of others. */
  readonly name: string;
  /** "" for ONNX itself (the default), "com.microsoft" for the runtime's own. */
  readonly domain?: string;
  /** The version of ONNX's operator set that it needs, where that is newer than the engine's own. */
  readonly opset?: number;
  /** "elementwise": reads an element only to write the same one. "view": its output may be the input's own memory. */
  readonly memory?: "elementwise" | "view";
  /** Made of other operations instead of a node of its own. */
  readonly composed?: boolean;
  /** Absent: differentiating through it is an error. */
  readonly gradient?: GradientRule;
  /**
   * Instead of `gradient`: one for each operand, which is then summed over the axes along which the operand was
   * broadcast.
   */
  readonly operandGradients?: readonly (OperandGradient | undefined)[];
  /** Writes the node in operators that the device has; absent: as it is. */
  readonly lower?: (node: GraphNode, lowering: Lowering) => void;
  readonly cases?: Cases;
}

/** An operation: a function on values, and what is known of its nodes. */
export type Operation<A extends unknown[], R = Value> = ((...given: A) => R) & {
  readonly definition: OperationDefinition;
};

/** What `infer` says of the node to be made. */
export interface InferredNode {
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly OutputSpec[];
  readonly attributes?: Attributes;
}

/** The same of a node with one output. */
export interface InferredOne {
  readonly inputs: readonly (Value | undefined)[];
  readonly type: ElementType;
  readonly shape: Shape;
  readonly attributes?: Attributes;
  /** A dimension's name that this output gives its size to. */
  readonly binds?: { readonly name: string; readonly axis: number };
}

/** What `operation` is told: all of an operation in one object. */
export interface OneSpec<A extends unknown[]> extends Omit<OperationDefinition, "gradient" | "composed"> {
  /** Checks the operands and says what the node is; a value that it gives stands as the result, without a node. */
  readonly infer: (...given: A) => InferredOne | Value;
  readonly gradient?: OneGradientRule;
}

/** What `operationOfMany` is told. */
export interface ManySpec<A extends unknown[]> extends Omit<OperationDefinition, "composed"> {
  readonly infer: (...given: A) => InferredNode | readonly Value[];
}

/** Declares an operation with one output: all that is known of it stands in this one object. */
export function operation<A extends unknown[]>({ infer, gradient, ...rest }: OneSpec<A>): Operation<A> {
  const definition: OperationDefinition = gradient
    ? { ...rest, gradient: (node, [dy], needed) => gradient(dy!, node, needed) }
    : rest;
  const call = (...given: A): Value => {
    const inferred = infer(...given);
    if (inferred instanceof Value) return inferred;
    const { inputs, type, shape, attributes, binds } = inferred;
    const builder = builderOf(inputs);
    const result = builder.one(definition, inputs, type, shape, attributes);
    if (binds) builder.bind(binds.name, result, binds.axis);
    return result;
  };
  return Object.assign(call, { definition });
}

/** Declares an operation with several outputs. */
export function operationOfMany<A extends unknown[]>({ infer, ...definition }: ManySpec<A>): Operation<A, Value[]> {
  const call = (...given: A): Value[] => {
    const inferred = infer(...given);
    if (!("inputs" in inferred)) return [...inferred];
    return builderOf(inferred.inputs).node(definition, inferred.inputs, inferred.outputs, inferred.attributes);
  };
  return Object.assign(call, { definition });
}

/** Declares a function composed of operations, with the cases that it is tested with. */
export function composed<A extends unknown[], R = Value>(spec: {
  readonly name: string;
  readonly build: (...given: A) => R;
  readonly cases?: Cases;
}): Operation<A, R> {
  const { build, name, cases } = spec;
  return Object.assign((...given: A): R => build(...given), { definition: { name, cases, composed: true } });
}

function builderOf(inputs: readonly (Value | undefined)[]): GraphBuilder {
  return inputs.find((input) => input !== undefined)!.builder;
}

/** Whether a gradient flows through an operation. */
export function isDifferentiable({ gradient, operandGradients }: OperationDefinition): boolean {
  return gradient !== undefined || operandGradients !== undefined;
}

/** Whether an export is an operation. */
export function isOperation(value: unknown): value is Operation<unknown[], unknown> {
  return typeof value === "function" && "definition" in value;
}
