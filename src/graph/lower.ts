import type { Attributes } from "./attributes.js";
import type { GraphBuilder, GraphNode, Value } from "./builder.js";
import { encodeModel, type OnnxConstant, type OnnxGraph, type OnnxNode, type OnnxTensorInfo } from "./encode.js";
import { GraphError } from "./errors.js";
import { arrayFromNumbers, type ElementType } from "./types.js";

/** What a device can run; `lower` writes what it cannot in other operators. */
export interface Capabilities {
  /** Operators that the device lacks, or leaves to the CPU. */
  readonly missing: readonly string[];
  /** Whether the runtime can be kept from copying outputs: see `EMPTY_SEQUENCE`. */
  readonly outputsInPlace: boolean;
}

/**
 * An extra first output, an empty sequence. The Node binding copies every output it gives back, also those that were
 * written into arrays that it was handed. It cannot give back a sequence, though, and says so once everything is
 * computed and before it copies anything: a run that asks for this output too costs no copies.
 */
export const EMPTY_SEQUENCE = "#nothing";

/** A graph ready for a session. */
export interface LoweredGraph {
  readonly model: Uint8Array;
  /** Inputs that something reads. */
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  /** The names of all inputs that the builder declared. */
  readonly declared: ReadonlySet<string>;
  /** The nodes that are left, in order. */
  readonly nodes: readonly GraphNode[];
  /** How many operators they were written in. */
  readonly operators: number;
  readonly keepDuplicates: boolean;
}

/** The version of ONNX's operator set that models are written in. */
const OPSET = 21;

/** Writes a builder's graph in the operators that a device has, without what no output needs. */
export function lower(builder: GraphBuilder, capabilities: Capabilities): LoweredGraph {
  const { graph, ...rest } = lowered(builder, capabilities);
  return { ...rest, model: encodeModel(graph), operators: graph.nodes.length };
}

/** As {@link lower}, not encoded yet. */
export function lowered(
  builder: GraphBuilder,
  capabilities: Capabilities,
): Omit<LoweredGraph, "model" | "operators"> & { readonly graph: OnnxGraph } {
  if (builder.outputs.size === 0) throw new GraphError(`The graph ${builder.name} has no output`);
  const needed = new Set<string>([...builder.outputs.values()].map((value) => value.name));
  const live: GraphNode[] = [];
  for (let i = builder.nodes.length - 1; i >= 0; i--) {
    const node = builder.nodes[i]!;
    if (!node.outputs.some((output) => needed.has(output.name))) continue;
    live.push(node);
    for (const input of node.inputs) if (input) needed.add(input.name);
  }
  live.reverse();
  const context = new Lowering(capabilities);
  for (const node of live) context.add(node);
  const inputs = new Map([...builder.inputs].filter(([, value]) => needed.has(value.name)));
  for (const [name, value] of builder.outputs) context.alias(value.name, name);
  const constants = builder.constants.filter((value) => needed.has(value.name));
  const graph: OnnxGraph = {
    name: builder.name,
    opset: live.reduce((newest, { operation }) => Math.max(newest, operation?.opset ?? OPSET), OPSET),
    nodes: context.nodes,
    inputs: [...inputs].map(([, value]) => info(value, value.name)),
    outputs: [...builder.outputs].map(([name, value]) => info(value, name)),
    ...(capabilities.outputsInPlace ? { emptySequence: EMPTY_SEQUENCE } : {}),
    constants: [
      ...constants.map(
        (value): OnnxConstant => ({ name: value.name, type: value.type, shape: value.shape, data: value.constant! }),
      ),
      ...context.constants,
    ],
  };
  return {
    graph,
    inputs,
    outputs: new Map(builder.outputs),
    declared: new Set(builder.inputs.keys()),
    nodes: live,
    keepDuplicates: builder.keepDuplicates,
  };
}

function info(value: Value, name: string): OnnxTensorInfo {
  return { name, type: value.type, shape: value.shape };
}

/** A graph as it is written: what an operation's `lower` adds its operators to. */
export class Lowering {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  private counter = 0;

  constructor(private readonly capabilities: Capabilities) {}

  /** Whether the device runs an operator itself. */
  has(op: string): boolean {
    return !this.capabilities.missing.includes(op);
  }

  add(node: GraphNode): void {
    if (node.operation?.lower) node.operation.lower(node, this);
    else this.copy(node);
  }

  /** The node as it is. */
  copy(node: GraphNode): void {
    this.push(
      node.op,
      node.inputs.map((input) => input?.name ?? ""),
      node.outputs.map((output) => output.name),
      node.attributes,
      node.domain,
    );
  }

  /** Gives a value the name of an output: one Identity, which the runtime removes where it can. */
  alias(from: string, to: string): void {
    this.push("Identity", [from], [to]);
  }

  /** Adds an operator; gives the name of its first output. */
  push(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
    domain = "",
  ): string {
    this.nodes.push({ op, domain, inputs, outputs, attributes });
    return outputs[0]!;
  }

  /** A name that no value has. */
  fresh(hint: string): string {
    return `${hint}__lowered_${++this.counter}`;
  }

  /** A tensor stored in the graph; gives its name. */
  constant(values: readonly number[], type: ElementType, shape: readonly number[] = [values.length]): string {
    const name = this.fresh("constant");
    this.constants.push({ name, type, shape, data: arrayFromNumbers(values, type) });
    return name;
  }
}
