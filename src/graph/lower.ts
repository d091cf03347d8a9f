import { type Attributes, float, type GraphBuilder, type GraphNode, int, ints, type Value } from "./builder.js";
import { encodeModel, type OnnxConstant, type OnnxNode, type OnnxTensorInfo } from "./encode.js";
import { GraphError } from "./errors.js";
import { arrayFromNumbers, typeCode } from "./types.js";

/** What a device can run; `lower` writes what it cannot in other ops. */
export interface Capabilities {
  /** com.microsoft.FusedMatMul, float32 only. */
  readonly fusedMatMul: boolean;
  readonly logSoftmax: boolean;
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
  readonly keepDuplicates: boolean;
}

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

/** Writes a builder's graph in the ops that a device has, without what no output needs. */
export function lower(builder: GraphBuilder, capabilities: Capabilities): LoweredGraph {
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
  const model = encodeModel({
    name: builder.name,
    opset: live.some((node) => node.op === "BitCast") ? 26 : 21,
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
  });
  return {
    model,
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

class Lowering {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  private counter = 0;

  constructor(private readonly capabilities: Capabilities) {}

  add(node: GraphNode): void {
    if (node.op === "MatMul" && node.domain === "") this.matmul(node);
    else if (node.op === "LogSoftmax" && !this.capabilities.logSoftmax) this.logSoftmax(node);
    else if (node.op === "MatMulBnb4" && intAttribute(node, "transB") !== 1)
      throw new GraphError("MatMulBnb4 with transB = 0 computes something else than x · W: dequantize and multiply");
    else if (node.op === "Cast" || node.op === "BitCast") this.copy(node, { to: int(typeCode(node.outputs[0]!.type)) });
    else this.copy(node, node.attributes);
  }

  /** Gives a value the name of an output: one Identity, which the runtime removes where it can. */
  alias(from: string, to: string): void {
    this.push("Identity", [from], [to]);
  }

  private push(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
    domain = "",
  ): string {
    this.nodes.push({ op, domain, inputs, outputs, attributes });
    return outputs[0]!;
  }

  private copy(node: GraphNode, attributes: Attributes): void {
    this.push(
      node.op,
      node.inputs.map((input) => input?.name ?? ""),
      node.outputs.map((output) => output.name),
      attributes,
      node.domain,
    );
  }

  private fresh(hint: string): string {
    return `${hint}__lowered_${++this.counter}`;
  }

  private constant(
    values: readonly number[],
    type: "int64" | Value["type"],
    shape: readonly number[] = [values.length],
  ): string {
    const name = this.fresh("constant");
    this.constants.push({ name, type, shape, data: arrayFromNumbers(values, type) });
    return name;
  }

  private matmul(node: GraphNode): void {
    const [a, b] = node.inputs as [Value, Value];
    const out = node.outputs[0]!;
    const transA = intAttribute(node, "transA");
    const transB = intAttribute(node, "transB");
    const alpha = floatAttribute(node, "alpha");
    const flags = { transA: int(transA), transB: int(transB), alpha: float(alpha) };
    if (!transA && !transB && alpha === 1) {
      this.push("MatMul", [a.name, b.name], [out.name]);
    } else if (a.rank === 2 && b.rank === 2) {
      this.push("Gemm", [a.name, b.name], [out.name], flags);
    } else if (b.rank === 2 && !transA && typeof a.dimension(-1) === "number") {
      this.rowsGemm(a, b, out, flags);
    } else if (this.capabilities.fusedMatMul && a.type === "float32") {
      this.push("FusedMatMul", [a.name, b.name], [out.name], flags, "com.microsoft");
    } else {
      const left = transA ? this.swapLastTwo(a) : a.name;
      const right = transB ? this.swapLastTwo(b) : b.name;
      const product = alpha === 1 ? out.name : this.fresh("product");
      this.push("MatMul", [left, right], [product]);
      if (alpha !== 1) this.push("Mul", [product, this.constant([alpha], a.type, [])], [out.name]);
    }
  }

  /** [..., k] × a matrix: one Gemm over all rows; the reshapes copy nothing. */
  private rowsGemm(a: Value, b: Value, out: Value, flags: Attributes): void {
    const rows = this.push(
      "Reshape",
      [a.name, this.constant([-1, a.dimension(-1) as number], "int64")],
      [this.fresh("rows")],
    );
    const product = this.push("Gemm", [rows, b.name], [this.fresh("product")], flags);
    let shape: string;
    if (out.shape.every((dimension) => typeof dimension === "number"))
      shape = this.constant(out.shape as number[], "int64");
    else {
      const lead = this.push("Shape", [a.name], [this.fresh("lead")], { start: int(0), end: int(a.rank - 1) });
      shape = this.push("Concat", [lead, this.constant([-1], "int64")], [this.fresh("shape")], { axis: int(0) });
    }
    this.push("Reshape", [product, shape], [out.name]);
  }

  private swapLastTwo(x: Value): string {
    const order = [...x.shape.keys()];
    [order[x.rank - 1], order[x.rank - 2]] = [x.rank - 2, x.rank - 1];
    return this.push("Transpose", [x.name], [this.fresh("transposed")], { perm: ints(order) });
  }

  private logSoftmax(node: GraphNode): void {
    const [x] = node.inputs as [Value];
    const axes = this.constant([intAttribute(node, "axis")], "int64");
    const keep = { keepdims: int(1) };
    const largest = this.push("ReduceMax", [x.name, axes], [this.fresh("largest")], keep);
    const shifted = this.push("Sub", [x.name, largest], [this.fresh("shifted")]);
    const powers = this.push("Exp", [shifted], [this.fresh("powers")]);
    const sum = this.push("ReduceSum", [powers, axes], [this.fresh("sum")], keep);
    const logarithm = this.push("Log", [sum], [this.fresh("logarithm")]);
    this.push("Sub", [shifted, logarithm], [node.outputs[0]!.name]);
  }
}
