import type { GraphNode, Region, Value } from "./builder.js";
import { GraphError } from "./errors.js";
import { add } from "./ops/arithmetic.js";
import { expand, full } from "./ops/expand.js";
import { sumTo } from "./ops/gradient-shapes.js";
import { broadcast, sameShape, showShape } from "./shape.js";
import { describeSite } from "./site.js";
import { isFloat } from "./types.js";

export interface GradientOptions {
  /** What becomes of a value that the outputs do not depend on: an error naming it (the default), or zeros. */
  readonly unreached?: "error" | "zeros";
}

/**
 * The gradients of a loss of one element with respect to some values, in their order and shapes. Adds to the loss's
 * graph only what these need. Throws GraphError where an operation on the way has no rule, naming it and where it was
 * built, and where a value does not reach the loss.
 */
export function gradients(loss: Value, wrt: readonly Value[], options: GradientOptions = {}): Value[] {
  if (loss.rank !== 0 && loss.shape.some((dimension) => dimension !== 1)) {
    throw new GraphError(`gradients: ${loss.describe()} is no loss of one element`, {
      hint: "Sum it, or use gradientsFrom with a gradient for each element.",
    });
  }
  return gradientsFrom([loss], [loss.builder.scalar(1, loss.type)], wrt, options);
}

/**
 * The gradients of Σ outputs · cotangents with respect to some values: what a layer's backward graph is made of. Each
 * cotangent has its output's shape or broadcasts to it; undefined ones count as zero.
 */
export function gradientsFrom(
  outputs: readonly Value[],
  cotangents: readonly (Value | undefined)[],
  wrt: readonly Value[],
  { unreached = "error" }: GradientOptions = {},
): Value[] {
  const builder = outputs[0]?.builder;
  if (!builder) throw new GraphError("gradients: no outputs");
  const sequence = [...builder.sequence];
  const dependent = dependents(sequence, wrt);
  const adjoints = new Map<Value, Value>();
  const accumulate = (value: Value, gradient: Value): void => {
    const known = adjoints.get(value);
    adjoints.set(value, known ? add(known, gradient) : gradient);
  };
  outputs.forEach((output, i) => {
    const cotangent = cotangents[i];
    if (!cotangent) return;
    checkGradient(output, cotangent, "the gradient given for it");
    if (dependent.has(output)) accumulate(output, cotangent);
  });
  for (let i = sequence.length - 1; i >= 0; i--) {
    const step = sequence[i]!;
    const outputGradients = step.outputs.map((output) => adjoints.get(output));
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    const needed = step.inputs.map((input) => input !== undefined && dependent.has(input));
    const inputGradients =
      "op" in step
        ? nodeGradients(step, outputGradients, needed)
        : regionGradients(step, outputGradients, needed, dependent);
    step.inputs.forEach((input, at) => {
      const gradient = inputGradients[at];
      if (!input || !needed[at] || !gradient) return;
      checkGradient(input, gradient, `the gradient that ${"op" in step ? step.op : step.name} gives`);
      accumulate(input, gradient);
    });
  }
  return wrt.map((value) => {
    const gradient = adjoints.get(value);
    if (gradient) return expand(gradient, value.shape);
    if (unreached === "zeros") return full(builder, value.shape, 0, value.type);
    throw new GraphError(`gradients: no gradient reaches ${value.describe()}`, {
      hint:
        'The outputs do not depend on it, or only through whole numbers or stopGradient; say unreached: "zeros" ' +
        "if that is meant.",
    });
  });
}

/** Every floating value that depends on one of `wrt`, these included. */
function dependents(sequence: readonly (GraphNode | Region)[], wrt: readonly Value[]): Set<Value> {
  const dependent = new Set<Value>();
  for (const value of wrt) {
    if (!isFloat(value.type))
      throw new GraphError(`gradients: ${value.describe()} has no gradient: it is not of a floating type`);
    dependent.add(value);
  }
  for (const step of sequence) {
    const reads = "op" in step ? step.inputs : [...step.inputs, ...step.captured];
    if (reads.some((input) => input !== undefined && dependent.has(input))) {
      for (const output of step.outputs) if (isFloat(output.type)) dependent.add(output);
    }
  }
  return dependent;
}

function nodeGradients(
  node: GraphNode,
  outputGradients: readonly (Value | undefined)[],
  needed: readonly boolean[],
): readonly (Value | undefined)[] {
  if (!needed.some(Boolean)) return [];
  const { gradient, operandGradients } = node.operation ?? {};
  if (operandGradients) {
    const dy = outputGradients[0]!;
    return operandGradients.map((rule, i) => {
      const full = needed[i] ? rule?.(dy, node) : undefined;
      return full && sumTo(full, node.outputs[0]!.shape, node.inputs[i]!.shape);
    });
  }
  if (!gradient) {
    const operands = node.inputs
      .map((input) => (input ? `${input.type} ${showShape(input.shape)}` : "none"))
      .join(", ");
    throw new GraphError(`${node.op}(${operands}), built at ${describeSite(node.site)}, has no gradient rule`, {
      hint:
        "Build it of other operations, give it a gradient with customGradient, or keep gradients from it with " +
        "stopGradient.",
    });
  }
  return gradient(node, outputGradients, needed);
}

function regionGradients(
  region: Region,
  outputGradients: readonly (Value | undefined)[],
  needed: readonly boolean[],
  dependent: ReadonlySet<Value>,
): readonly (Value | undefined)[] {
  const lost = region.captured.find((value) => dependent.has(value));
  if (lost) {
    throw new GraphError(
      `${region.name}, built at ${describeSite(region.site)}, reads ${lost.describe()}, which is not among its ` +
        `inputs: its gradient would be lost`,
      {
        hint: "Name it among the inputs.",
      },
    );
  }
  return region.backward(outputGradients, needed);
}

function checkGradient(value: Value, gradient: Value, what: string): void {
  if (gradient.type !== value.type || gradient.builder !== value.builder) {
    throw new GraphError(`gradients: ${what} is ${gradient.describe()}; the value is ${value.describe()}`);
  }
  const shape = broadcast(gradient.shape, value.shape);
  if (!shape || !sameShape(shape, value.shape))
    throw new GraphError(`gradients: ${what} is ${gradient.describe()}; the value is ${value.describe()}`);
}
