import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { Value } from "../builder.js";
import type { DeviceArray, Program, RunOptions } from "../device.js";
import { GraphError } from "../errors.js";
import { EMPTY_SEQUENCE, type LoweredGraph } from "../lower.js";
import { elementCount, sameShape, showShape } from "../shape.js";
import { arrayOver, bytesOf, type ElementType } from "../types.js";
import { own, TensorArray, wrap } from "./array.js";
import type { Counting } from "./counting.js";
import { runtimeError } from "./failures.js";
import type { BindingLimit } from "./limits.js";
import type { MemoryPool } from "./memory-pool.js";
import { Overwriting } from "./overwriting.js";
import { type Sizes, shapeIn, sizesOf } from "./sizes.js";

const SHRINK = { extra: { memory: { enable_memory_arena_shrinkage: "cpu:0" } } };

type Arrays = Readonly<Record<string, DeviceArray>>;

/** What a program needs of the device that it was compiled for. */
export interface ProgramDevice {
  /** What it is called, in messages. */
  readonly device: string;
  /** The memory that outputs are placed in, where they lie in the machine's own. */
  readonly pool?: MemoryPool;
  readonly counting: Counting;
  readonly limit?: BindingLimit;
  release(session: InferenceSession): Promise<void>;
}

/** A session with its inputs checked before it runs. */
export class SessionProgram implements Program {
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  private session: InferenceSession | undefined;
  private readonly overwriting: Overwriting;

  constructor(
    readonly name: string,
    session: InferenceSession,
    private readonly graph: LoweredGraph,
    private readonly on: ProgramDevice,
  ) {
    this.session = session;
    this.inputs = graph.inputs;
    this.outputs = graph.outputs;
    this.overwriting = new Overwriting(graph);
  }

  async run(inputs: Arrays, options: RunOptions = {}): Promise<Record<string, DeviceArray>> {
    if (!this.session) throw new GraphError(`The program ${this.name} is run after it was disposed of`);
    const sizes = sizesOf(this.name, this.graph, inputs);
    const feeds = this.feeds(inputs);
    if (options.into) this.checkInto(inputs, options.into, sizes);
    this.on.limit?.checkRun(this.name, this.graph, sizes);
    this.on.counting.run(this.graph.operators, inputs);
    const placed = this.place(options.into ?? {}, sizes);
    const everything = this.on.pool && placed.size === this.outputs.size;
    const fetches: Record<string, Tensor | null> = everything ? { [EMPTY_SEQUENCE]: null } : {};
    for (const name of this.outputs.keys()) fetches[name] = placed.get(name)?.tensor ?? null;
    const results = await this.compute(feeds, fetches, options.shrink ?? false);
    const arrays: Record<string, DeviceArray> = {};
    for (const name of this.outputs.keys()) {
      const tensor = results?.[name];
      arrays[name] =
        options.into?.[name] ?? placed.get(name) ?? new TensorArray(tensor!, tensor!.type as ElementType, tensor!.dims);
    }
    this.on.counting.outputs(arrays);
    return arrays;
  }

  async dispose(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    if (session) await this.on.release(session);
  }

  private async compute(
    feeds: Record<string, Tensor>,
    fetches: Record<string, Tensor | null>,
    shrink: boolean,
  ): Promise<Readonly<Record<string, Tensor>> | undefined> {
    try {
      return (await this.session!.run(feeds, fetches, (shrink ? SHRINK : {}) as InferenceSession.RunOptions)) as Record<
        string,
        Tensor
      >;
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      if (EMPTY_SEQUENCE in fetches && message.includes("Non tensor type")) return undefined;
      throw runtimeError(`The program ${this.name} failed`, this.on.device, cause);
    }
  }

  private feeds(inputs: Arrays): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = {};
    for (const name of this.inputs.keys()) feeds[name] = own(inputs[name]!, `Input ${name} of ${this.name}`).tensor;
    return feeds;
  }

  /** Arrays for the outputs whose shape is known: those given, and fresh ones. */
  private place(into: Arrays, sizes: Sizes): Map<string, TensorArray> {
    const placed = new Map<string, TensorArray>();
    if (!this.on.pool) return placed;
    for (const [name, value] of this.outputs) {
      const given = into[name];
      if (given) placed.set(name, own(given, `The array for output ${name}`));
      else {
        const shape = shapeIn(value.shape, sizes);
        if (shape) placed.set(name, this.newArray(value.type, shape, this.on.pool));
      }
    }
    return placed;
  }

  private newArray(type: ElementType, shape: readonly number[], pool: MemoryPool): TensorArray {
    const size = elementCount(shape);
    return wrap(arrayOver(type, pool.take(size * bytesOf(type)), size), shape, type, pool);
  }

  private checkInto(inputs: Arrays, into: Arrays, sizes: Sizes): void {
    if (!this.on.pool && Object.keys(into).length > 0) {
      throw new GraphError(`The program ${this.name}: outputs are not written into given arrays on this device`, {
        hint: "Take the array that run gives back and dispose of the old one.",
      });
    }
    const targets = Object.entries(into);
    for (const [at, [name, target]] of targets.entries()) {
      const value = this.outputs.get(name);
      if (!value)
        throw new GraphError(
          `The program ${this.name} has no output ${name}; it has ${[...this.outputs.keys()].join(", ")}`,
        );
      const shape = shapeIn(value.shape, sizes);
      if (target.type !== value.type || (shape && !sameShape(shape, target.shape))) {
        throw new GraphError(
          `Output ${name} of the program ${this.name} is ${value.type} ${showShape(shape ?? value.shape)}; the ` +
            `array for it is ${target.type} ${showShape(target.shape)}`,
        );
      }
      for (const [other, array] of targets.slice(0, at)) {
        if (overlap(array, target))
          throw new GraphError(`The program ${this.name}: the arrays for outputs ${other} and ${name} share memory`);
      }
      for (const input of this.inputs.keys()) {
        const source = inputs[input]!;
        if (!overlap(source, target)) continue;
        const same =
          own(source, "An array").elements.byteOffset === own(target, "An array").elements.byteOffset &&
          sameShape(source.shape, target.shape);
        if (!same || !this.overwriting.allows(input, name)) {
          throw new GraphError(
            `The program ${this.name}: output ${name} would overwrite input ${input} before everything that ` +
              `reads it has run`,
            { hint: "Write into another array." },
          );
        }
      }
    }
  }
}

function overlap(a: DeviceArray, b: DeviceArray): boolean {
  if (a.onDevice || b.onDevice) return false;
  const [x, y] = [own(a, "An array").elements, own(b, "An array").elements];
  return x.buffer === y.buffer && x.byteOffset < y.byteOffset + b.bytes && y.byteOffset < x.byteOffset + a.bytes;
}
