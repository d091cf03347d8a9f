import type { GraphNode } from "./builder.js";
import { GraphError } from "./errors.js";

/** An attribute of a node, with its ONNX kind said. */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "string"; readonly value: string };
export type Attributes = Readonly<Record<string, Attribute>>;

export const int = (value: number | boolean): Attribute => ({ kind: "int", value: Number(value) });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const text = (value: string): Attribute => ({ kind: "string", value });

/** The attribute of a node that holds a whole number. */
export function intAttribute(node: GraphNode, name: string): number {
  const attribute = node.attributes[name];
  if (attribute?.kind !== "int") throw new GraphError(`${node.op} has no whole number ${name}`);
  return attribute.value;
}

/** The attribute of a node that holds a number. */
export function floatAttribute(node: GraphNode, name: string): number {
  const attribute = node.attributes[name];
  if (attribute?.kind !== "float") throw new GraphError(`${node.op} has no number ${name}`);
  return attribute.value;
}

/** The attribute of a node that holds whole numbers. */
export function intsAttribute(node: GraphNode, name: string): readonly number[] {
  const attribute = node.attributes[name];
  if (attribute?.kind !== "ints") throw new GraphError(`${node.op} has no whole numbers ${name}`);
  return attribute.value;
}

/** The whole numbers in a constant input. */
export function constantInts(node: GraphNode, input: number): number[] {
  const constant = node.inputs[input]?.constant;
  if (!constant) throw new GraphError(`${node.op}: its input ${input} is not a constant`);
  return Array.from(constant as BigInt64Array, Number);
}
