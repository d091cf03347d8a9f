import type { GraphBuilder, Value } from "../builder.js";
import type {
  CompileOptions,
  Device,
  DeviceArray,
  DeviceCounters,
  DeviceName,
  Program,
  RunOptions,
} from "../device.js";
import { GraphError } from "../errors.js";
import { type LoweredGraph, lower } from "../lower.js";
import { elementCount, showShape } from "../shape.js";
import { bytesOf, type ElementType, newArray, type TypedArray, typeOfArray } from "../types.js";
import { Counting } from "./counting.js";
import type { DeviceTraits } from "./definition.js";
import { BindingLimit } from "./limits.js";
import { liveBytes } from "./live-memory.js";
import { deviceDefinition } from "./registry.js";
import { type Sizes, shapeIn, sizesOf } from "./sizes.js";

/** Memory that a meta device's arrays and runs would take. */
export interface MetaMemory {
  readonly now: number;
  readonly peak: number;
  /** The largest array that an operator reads or writes, with its name. */
  readonly largest: { readonly name: string; readonly bytes: number };
}

/**
 * A device as PyTorch's `meta` is one: arrays have shapes and no elements, runs compute nothing. It lowers graphs for
 * the device that it stands for and counts what that would do and hold, at any size. What is read is zeros.
 * @throws {GraphError} where sums cannot be made for that device
 */
export function openMetaDevice(
  name: DeviceName,
  { bindingLimit }: { readonly bindingLimit?: number } = {},
): MetaDevice {
  const { traits } = deviceDefinition(name);
  if (!traits) throw new GraphError(`What the device ${name} would do cannot be told without it`);
  return new MetaDevice(name, bindingLimit === undefined ? traits : { ...traits, bindingLimit });
}

class MetaArray implements DeviceArray {
  readonly size: number;
  private elements: TypedArray | undefined;
  disposed = false;

  constructor(
    readonly type: ElementType,
    readonly shape: readonly number[],
    readonly onDevice: boolean,
  ) {
    this.size = elementCount(shape);
  }

  get bytes(): number {
    return this.size * bytesOf(this.type);
  }

  get data(): TypedArray {
    if (this.onDevice) throw new GraphError(`An array ${showShape(this.shape)} of a meta device has no elements`);
    return (this.elements ??= newArray(this.type, this.size));
  }
}

/** See `openMetaDevice`. */
export class MetaDevice implements Device {
  private readonly counting: Counting;
  private readonly limit: BindingLimit | undefined;
  private readonly inner = new WeakMap<LoweredGraph, Map<string, number>>();
  private held = 0;
  private peak = 0;
  private largest: MetaMemory["largest"] = { name: "", bytes: 0 };
  readonly memory: Device["memory"];

  constructor(
    readonly name: DeviceName,
    private readonly traits: DeviceTraits,
  ) {
    this.memory = traits.memory;
    this.counting = new Counting(traits.memory !== "host");
    this.limit = traits.bindingLimit === undefined ? undefined : new BindingLimit(name, traits.bindingLimit);
  }

  get counters(): DeviceCounters {
    return this.counting.now;
  }

  get bindingLimit(): number | undefined {
    return this.traits.bindingLimit;
  }

  /** What arrays and runs took so far. */
  get memoryUse(): MetaMemory {
    return { now: this.held, peak: this.peak, largest: this.largest };
  }

  describe(): string {
    return `${this.name} (shapes alone)`;
  }

  array(data: TypedArray, shape: readonly number[], type: ElementType = typeOfArray(data)): DeviceArray {
    if (elementCount(shape) !== data.length)
      throw new GraphError(`${data.length} elements do not fill ${showShape(shape)}`);
    return new MetaArray(type, shape, false);
  }

  zeros(shape: readonly number[], type: ElementType = "float32"): DeviceArray {
    return new MetaArray(type, shape, false);
  }

  async upload(array: DeviceArray, name = "An array"): Promise<DeviceArray> {
    this.limit?.check(name, array.type, array.shape);
    if (this.memory !== "device" || array.onDevice) return array;
    this.note(name, array.bytes);
    this.counting.sent(array);
    return this.make(array.type, array.shape, true);
  }

  async read(array: DeviceArray): Promise<TypedArray> {
    if (!array.onDevice) return array.data;
    this.counting.read(array.bytes);
    return newArray(array.type, array.size);
  }

  async add(a: DeviceArray, b: DeviceArray): Promise<DeviceArray> {
    if (this.memory === "host") return a;
    this.counting.run(1, { a, b });
    const sum = this.make(a.type, a.shape, true);
    this.dispose(a);
    this.dispose(b);
    return sum;
  }

  async compile(graph: GraphBuilder, options: CompileOptions = {}): Promise<Program> {
    const lowered = lower(graph, this.traits);
    const constants = graph.constants.reduce((sum, { constant, type }) => sum + constant!.length * bytesOf(type), 0);
    this.hold(constants);
    let left = constants;
    return {
      name: graph.name,
      inputs: lowered.inputs,
      outputs: lowered.outputs,
      run: (inputs, given) => this.run(graph.name, lowered, inputs, options, given),
      dispose: async () => {
        this.held -= left;
        left = 0;
      },
    };
  }

  dispose(array: DeviceArray): void {
    if (!(array instanceof MetaArray) || !array.onDevice || array.disposed) return;
    array.disposed = true;
    this.held -= array.bytes;
  }

  async close(): Promise<void> {}

  private async run(
    name: string,
    graph: LoweredGraph,
    inputs: Readonly<Record<string, DeviceArray>>,
    { keepOnDevice = true }: CompileOptions,
    { into = {} }: RunOptions = {},
  ): Promise<Record<string, DeviceArray>> {
    for (const [key, array] of Object.entries(inputs))
      if (array instanceof MetaArray && array.disposed)
        throw new GraphError(`Input ${key} of the program ${name} is used after it was disposed of`);
    const sizes = sizesOf(name, graph, inputs);
    this.limit?.checkRun(name, graph, sizes);
    this.counting.run(graph.operators, inputs);
    this.peak = Math.max(this.peak, this.held + this.innerBytes(name, graph, sizes));
    const made: Record<string, DeviceArray> = {};
    for (const [key, value] of graph.outputs) {
      const shape = shapeIn(value.shape, sizes);
      if (!shape) throw new GraphError(`The size of output ${key} of the program ${name} shows only when it runs`);
      const stays = keepOnDevice === true || (keepOnDevice !== false && keepOnDevice.includes(key));
      made[key] = into[key] ?? this.make(value.type, shape, stays && this.memory === "device");
    }
    this.counting.outputs(made);
    return made;
  }

  /** See `liveBytes`; layers of a kind run with the same sizes. */
  private innerBytes(program: string, graph: LoweredGraph, sizes: Sizes): number {
    let known = this.inner.get(graph);
    if (!known) this.inner.set(graph, (known = new Map()));
    const key = JSON.stringify([...sizes]);
    let bytes = known.get(key);
    if (bytes === undefined) {
      this.noteValues(program, graph, sizes);
      known.set(key, (bytes = liveBytes(graph, sizes)));
    }
    return bytes;
  }

  private noteValues(program: string, graph: LoweredGraph, sizes: Sizes): void {
    const note = (what: string, value: Value): void => {
      const shape = shapeIn(value.shape, sizes);
      if (shape) this.note(`${what} of ${program}`, elementCount(shape) * bytesOf(value.type));
    };
    for (const [name, value] of graph.inputs) note(name, value);
    for (const { outputs } of graph.nodes) for (const output of outputs) note(output.name, output);
  }

  private note(name: string, bytes: number): void {
    if (bytes > this.largest.bytes) this.largest = { name, bytes };
  }

  private make(type: ElementType, shape: readonly number[], onDevice: boolean): MetaArray {
    const array = new MetaArray(type, shape, onDevice);
    if (onDevice) this.hold(array.bytes);
    return array;
  }

  private hold(bytes: number): void {
    this.held += bytes;
    this.peak = Math.max(this.peak, this.held);
  }
}
