import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { GraphNode, Value } from "../builder.js";
import type { DeviceArray, Program, RunOptions } from "../device.js";
import { GraphError } from "../errors.js";
import type { LoweredGraph } from "../lower.js";
import { factorsOf, sameShape, showShape } from "../shape.js";
import type { ElementType } from "../types.js";
import { own, TensorArray } from "./array.js";

const SHRINK = { extra: { memory: { enable_memory_arena_shrinkage: "cpu:0" } } };

/** A session with its inputs checked before it runs. */
export class SessionProgram implements Program {
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  private session: InferenceSession | undefined;

  constructor(
    readonly name: string,
    session: InferenceSession,
    private readonly graph: LoweredGraph,
    private readonly host: boolean,
  ) {
    this.session = session;
    this.inputs = graph.inputs;
    this.outputs = graph.outputs;
  }

  async run(inputs: Readonly<Record<string, DeviceArray>>, options: RunOptions = {}): Promise<Record<string, DeviceArray>> {
    if (!this.session) throw new GraphError(`The program ${this.name} is run after it was disposed of`);
    const feeds = this.check(inputs);
    const runOptions = (options.shrink ? SHRINK : {}) as InferenceSession.RunOptions;
    let results: InferenceSession.OnnxValueMapType;
    try {
      results = options.into ? await this.session.run(feeds, this.fetches(inputs, options.into), runOptions) : await this.session.run(feeds, runOptions);
    } catch (cause) {
      throw new GraphError(`The program ${this.name} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    const arrays: Record<string, DeviceArray> = {};
    for (const name of this.outputs.keys()) {
      const given = options.into?.[name];
      const tensor = results[name] as Tensor;
      arrays[name] = given ?? new TensorArray(tensor, tensor.type as ElementType, tensor.dims);
    }
    return arrays;
  }

  async dispose(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    await session?.release();
  }

  private check(inputs: Readonly<Record<string, DeviceArray>>): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = {};
    const sizes = new Map<string, number>();
    let used = 0;
    for (const [name, value] of this.inputs) {
      const given = inputs[name];
      if (!given) throw new GraphError(`The program ${this.name} needs an input ${name}: ${value.type} ${showShape(value.shape)}`);
      const array = own(given, `Input ${name} of ${this.name}`);
      used++;
      if (array.type !== value.type || array.shape.length !== value.shape.length) this.refuse(name, value, array);
      for (let axis = 0; axis < value.shape.length; axis++) {
        const dimension = value.shape[axis]!;
        const size = array.shape[axis]!;
        if (typeof dimension === "number" ? dimension !== size : !fits(dimension, size, sizes)) this.refuse(name, value, array, sizes);
      }
      feeds[name] = array.tensor;
    }
    const names = Object.keys(inputs);
    if (names.length !== used) {
      const unknown = names.find((name) => !this.inputs.has(name) && !this.graph.declared.has(name));
      if (unknown) throw new GraphError(`The program ${this.name} has no input ${unknown}; it has ${[...this.graph.declared].join(", ")}`);
    }
    return feeds;
  }

  private refuse(name: string, value: Value, array: TensorArray, sizes = new Map<string, number>()): never {
    const known = [...sizes].filter(([symbol]) => value.shape.some((d) => typeof d === "string" && factorsOf(d).names.includes(symbol)));
    const where = known.length > 0 ? ` with ${known.map(([symbol, size]) => `${symbol} = ${size}`).join(", ")}` : "";
    throw new GraphError(
      `Input ${name} of the program ${this.name} is ${array.type} ${showShape(array.shape)}; it should be ${value.type} ${showShape(value.shape)}${where}`,
    );
  }

  private fetches(inputs: Readonly<Record<string, DeviceArray>>, into: Readonly<Record<string, DeviceArray>>): Record<string, Tensor | null> {
    if (!this.host) throw new GraphError(`The program ${this.name}: outputs are not written into given arrays on this device`, { hint: "Take the array that run gives back and dispose of the old one." });
    const fetches: Record<string, Tensor | null> = {};
    for (const name of this.outputs.keys()) fetches[name] = null;
    for (const [name, target] of Object.entries(into)) {
      const value = this.outputs.get(name);
      if (!value) throw new GraphError(`The program ${this.name} has no output ${name}; it has ${[...this.outputs.keys()].join(", ")}`);
      const array = own(target, `The array for output ${name}`);
      for (const input of this.inputs.keys()) {
        if (overlap(inputs[input]!, array) && !this.mayOverwrite(input, value, inputs[input]!, array)) {
          throw new GraphError(`The program ${this.name}: output ${name} would overwrite input ${input} before everything that reads it has run`, {
            hint: "Write into another array, or build the output by one elementwise operation that alone reads the input.",
          });
        }
      }
      fetches[name] = array.tensor;
    }
    return fetches;
  }

  /** Right only where the one reader of the input is the elementwise operation that makes the output. */
  private mayOverwrite(input: string, output: Value, from: DeviceArray, to: DeviceArray): boolean {
    const sameMemory = from.data.byteOffset === to.data.byteOffset && from.bytes === to.bytes && sameShape(from.shape, to.shape);
    const readers: readonly GraphNode[] = this.graph.readers.get(input) ?? [];
    return sameMemory && readers.length === 1 && readers[0] === output.node && IN_PLACE.has(readers[0]!.op);
  }
}

/** Operations that read an element only to write the same one. */
const IN_PLACE = new Set(["Add", "Sub", "Mul", "Div", "Neg", "Sqrt", "Abs"]);

function fits(dimension: string, size: number, sizes: Map<string, number>): boolean {
  if (!dimension.includes("*")) {
    const known = sizes.get(dimension);
    if (known === undefined) sizes.set(dimension, size);
    return known === undefined || known === size;
  }
  const { factor, names } = factorsOf(dimension);
  let product = factor;
  for (const name of names) {
    const known = sizes.get(name);
    if (known === undefined) return size % factor === 0;
    product *= known;
  }
  return product === size;
}

function overlap(a: DeviceArray, b: DeviceArray): boolean {
  if (a.onDevice || b.onDevice || a.data.buffer !== b.data.buffer) return false;
  return a.data.byteOffset < b.data.byteOffset + b.bytes && b.data.byteOffset < a.data.byteOffset + a.bytes;
}
