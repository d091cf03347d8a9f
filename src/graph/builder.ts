import { type Attributes, int } from "./attributes.js";
import { GraphError } from "./errors.js";
import type { OperationDefinition } from "./operation.js";
import { canonical, type Dimension, factorsOf, productOf, type Shape, showShape } from "./shape.js";
import { captureSite, describeSite, type Site } from "./site.js";
import { arrayFromNumbers, checkArrayType, type ElementType, type TypedArray, typeOfArray } from "./types.js";

/** A node of a graph. Its name is ONNX's; `lower` writes what a device lacks in other operators. */
export interface GraphNode {
  readonly op: string;
  /** Its gradient and how it is lowered; undefined for the engine's own arithmetic on shapes. */
  readonly operation?: OperationDefinition;
  /** "" for ONNX itself, "com.microsoft" for the runtime's own. */
  readonly domain: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  readonly site: Site;
}

/** A stretch of a graph whose gradient is given by a function instead of by its nodes' rules. */
export interface Region {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Values that the stretch reads and that are not among its inputs: no gradient reaches them. */
  readonly captured: readonly Value[];
  readonly backward: RegionBackward;
  readonly site: Site;
}

/**
 * From the gradients of a region's outputs (undefined: none reached it) to those of its inputs (undefined: zero, or not
 * needed).
 */
export type RegionBackward = (
  outputGradients: readonly (Value | undefined)[],
  needed: readonly boolean[],
) => readonly (Value | undefined)[];

/** A tensor in a graph: what it is, not what it holds. */
export class Value {
  constructor(
    readonly builder: GraphBuilder,
    /** Its name in the ONNX graph. */
    readonly name: string,
    readonly type: ElementType,
    readonly shape: Shape,
    /** What makes it; undefined for inputs and constants. */
    readonly node?: GraphNode,
    /** Set where a region's gradient stands in for that of its nodes. */
    readonly region?: Region,
    /** The elements, of a constant. */
    readonly constant?: TypedArray,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  /** The dimension at an axis; negative axes count from the end. */
  dimension(axis: number): Dimension {
    const dimension = this.shape.at(axis);
    if (dimension === undefined) throw new GraphError(`${this.describe()} has no axis ${axis}`);
    return dimension;
  }

  /** Its name, type and shape, for messages. */
  describe(): string {
    return `${this.name} (${this.type} ${showShape(this.shape)})`;
  }
}

/** What a node's output is. */
export interface OutputSpec {
  readonly type: ElementType;
  readonly shape: Shape;
}

/** An operand: a value, or a number that becomes a constant of the other operand's type. */
export type Operand = Value | number;

/**
 * Builds an ONNX graph node by node, with types and shapes known and checked as it grows. Operations are functions
 * on values (`add(x, y)`); the builder makes inputs and constants and names outputs.
 */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  /** Nodes and regions in the order they were made: each after what it reads. */
  readonly sequence: (GraphNode | Region)[] = [];
  readonly inputs = new Map<string, Value>();
  readonly outputs = new Map<string, Value>();
  readonly constants: Value[] = [];
  /** Whether the runtime must be kept from merging equal nodes: set by `recompute`. */
  keepDuplicates = false;
  private readonly scalars = new Map<string, Value>();
  private readonly symbols = new Map<string, { readonly value: Value; readonly axis: number }>();
  private readonly dimensionValues = new Map<Dimension, Value>();
  private counter = 0;

  constructor(readonly name = "graph") {}

  /** An input, fed at each run. Names among its dimensions (`"B"`) hold for the whole graph. */
  input(name: string, type: ElementType, shape: Shape): Value {
    if (this.inputs.has(name)) throw new GraphError(`The graph ${this.name} has two inputs named ${name}`);
    if (name === "" || name.includes("#")) throw new GraphError(`Input ${name}: a name is not empty and has no #`);
    if (type === "bfloat16") throw new GraphError(`Input ${name}: bfloat16 cannot be fed; feed uint16 and use bitCast`);
    const value = new Value(this, name, type, shape.map(canonical));
    value.shape.forEach((dimension, axis) => {
      if (typeof dimension === "string") this.bind(dimension, value, axis);
    });
    this.inputs.set(name, value);
    return value;
  }

  /** Names a value as an output; it is what `run` gives back under that name. */
  output(name: string, value: Value): void {
    this.own(value, "output");
    if (name === "" || name.includes("#")) throw new GraphError(`Output ${name}: a name is not empty and has no #`);
    if (this.outputs.has(name)) throw new GraphError(`The graph ${this.name} has two outputs named ${name}`);
    if (this.inputs.has(name)) throw new GraphError(`${name} names an input and an output of the graph ${this.name}`);
    this.outputs.set(name, value);
  }

  /** A tensor stored in the graph, from an array or from plain numbers (then float32 unless a type is given). */
  constant(data: TypedArray | readonly number[] | number, shape?: readonly number[], type?: ElementType): Value {
    const numbers = typeof data === "number" ? [data] : data;
    const elementType = type ?? (Array.isArray(numbers) ? "float32" : typeOfArray(numbers as TypedArray));
    const array = Array.isArray(numbers) ? arrayFromNumbers(numbers, elementType) : (numbers as TypedArray);
    checkArrayType(array, elementType, "constant");
    const dimensions = shape ?? (typeof data === "number" ? [] : [array.length]);
    if (productOf(dimensions) !== array.length)
      throw new GraphError(`constant: ${array.length} elements do not fill ${showShape(dimensions)}`);
    const value = new Value(this, this.takeName("constant"), elementType, dimensions, undefined, undefined, array);
    this.constants.push(value);
    return value;
  }

  /** A constant without axes; equal ones are made once. */
  scalar(value: number, type: ElementType): Value {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    let scalar = this.scalars.get(key);
    if (!scalar) this.scalars.set(key, (scalar = this.constant(value, [], type)));
    return scalar;
  }

  /** A constant int64 vector; equal ones are made once. */
  int64(values: readonly number[]): Value {
    const key = `int64[] ${values.join(" ")}`;
    let vector = this.scalars.get(key);
    if (!vector) this.scalars.set(key, (vector = this.constant(arrayFromNumbers(values, "int64"), [values.length])));
    return vector;
  }

  /**
   * Adds a node of an operation, or of an ONNX operator by name that nothing differentiates. The operations in `ops/`
   * check and infer; this takes their word.
   */
  node(
    of: OperationDefinition | string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly OutputSpec[],
    attributes: Attributes = {},
  ): Value[] {
    const operation = typeof of === "string" ? undefined : of;
    const op = typeof of === "string" ? of : of.name;
    const site = captureSite();
    for (const input of inputs) if (input) this.own(input, op, site);
    const made: Value[] = [];
    const node: GraphNode = {
      op,
      operation,
      domain: operation?.domain ?? "",
      inputs,
      outputs: made,
      attributes,
      site,
    };
    for (const { type, shape } of outputs) made.push(new Value(this, this.takeName(op), type, shape, node));
    this.nodes.push(node);
    this.sequence.push(node);
    return made;
  }

  /** `node` with one output. */
  one(
    of: OperationDefinition | string,
    inputs: readonly (Value | undefined)[],
    type: ElementType,
    shape: Shape,
    attributes: Attributes = {},
  ): Value {
    return this.node(of, inputs, [{ type, shape }], attributes)[0]!;
  }

  /**
   * Runs `build` and gives its outputs back as values whose gradient is `backward`'s. What `build` reads and that
   * is not among `inputs` gets no gradient; asking for one through it is an error, unless `stop` says that it is meant.
   */
  region(
    name: string,
    inputs: readonly Value[],
    build: () => readonly Value[],
    backward: RegionBackward,
    options: { stop?: boolean } = {},
  ): Value[] {
    const site = captureSite();
    for (const input of inputs) this.own(input, name, site);
    const first = this.nodes.length;
    const built = build();
    const inside = new Set<string>();
    const captured = new Set<Value>();
    const given = new Set(inputs);
    for (const node of this.nodes.slice(first)) for (const output of node.outputs) inside.add(output.name);
    for (const node of this.nodes.slice(first)) {
      for (const input of node.inputs)
        if (input && !inside.has(input.name) && !given.has(input) && !input.constant) captured.add(input);
    }
    for (const value of built) if (!inside.has(value.name) && !given.has(value) && !value.constant) captured.add(value);
    const outputs: Value[] = [];
    const region: Region = { name, inputs, outputs, captured: options.stop ? [] : [...captured], backward, site };
    for (const value of built)
      outputs.push(new Value(this, value.name, value.type, value.shape, value.node, region, value.constant));
    this.sequence.push(region);
    return outputs;
  }

  /** A dimension as an int64 vector of one element, computed from the inputs' shapes where it is a name. */
  dimension(dimension: Dimension): Value {
    if (typeof dimension === "number") return this.int64([dimension]);
    const known = this.dimensionValues.get(dimension);
    if (known) return known;
    const { factor, names } = factorsOf(dimension);
    let value: Value | undefined;
    for (const name of names) {
      const one = this.symbol(name);
      value = value ? this.one("Mul", [value, one], "int64", [1]) : one;
    }
    if (!value) throw new GraphError(`${dimension} names no dimension`);
    if (factor !== 1) value = this.one("Mul", [value, this.int64([factor])], "int64", [1]);
    this.dimensionValues.set(dimension, value);
    return value;
  }

  /** A shape as an int64 vector. */
  shapeVector(shape: Shape): Value {
    if (shape.every((dimension) => typeof dimension === "number")) return this.int64(shape as number[]);
    const parts = shape.map((dimension) => this.dimension(dimension));
    return parts.length === 1 ? parts[0]! : this.one("Concat", parts, "int64", [shape.length], { axis: int(0) });
  }

  /** A name for a dimension that only running shows, bound to the axis of the value that has it. */
  bind(name: string, value: Value, axis: number): void {
    if (!this.symbols.has(name)) this.symbols.set(name, { value, axis });
  }

  /** A name that no dimension has yet. */
  newSymbol(hint: string): string {
    let name = hint;
    for (let i = 1; this.symbols.has(name); i++) name = `${hint}~${i}`;
    return name;
  }

  private symbol(name: string): Value {
    const known = this.dimensionValues.get(name);
    if (known) return known;
    const source = this.symbols.get(name);
    if (!source) {
      throw new GraphError(`Nothing in the graph ${this.name} has a dimension named ${name}`, {
        hint: "Names come from the shapes of inputs; give an input this name.",
      });
    }
    const value = this.one("Shape", [source.value], "int64", [1], {
      start: int(source.axis),
      end: int(source.axis + 1),
    });
    this.dimensionValues.set(name, value);
    return value;
  }

  /** Names of inner values hold a #, which the names of inputs and outputs may not. */
  private takeName(hint: string): string {
    return `${hint}#${++this.counter}`;
  }

  private own(value: Value, op: string, site?: Site): void {
    if (value.builder !== this) {
      const where = site ? ` (built at ${describeSite(site)})` : "";
      throw new GraphError(
        `${op}: ${value.describe()} belongs to the graph ${value.builder.name}, not to ${this.name}${where}`,
      );
    }
  }
}

/** An error about an operation being built, naming it, its operands and the place. */
export function buildError(op: string, operands: readonly Value[], reason: string): GraphError {
  const shown = operands.map((value) => `${value.type} ${showShape(value.shape)}`).join(", ");
  return new GraphError(`${op}(${shown}): ${reason}; built at ${describeSite(captureSite())}`);
}
