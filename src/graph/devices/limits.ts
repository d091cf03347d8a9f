import type { Value } from "../builder.js";
import { GraphError } from "../errors.js";
import type { LoweredGraph } from "../lower.js";
import { elementCount, showShape } from "../shape.js";
import { describeSite } from "../site.js";
import { bytesOf, type ElementType } from "../types.js";
import { type Sizes, shapeIn } from "./sizes.js";

/** The largest array that an operator of a device reaches: what lies beyond it would be silently wrong. */
export class BindingLimit {
  /** Sizes of names with which a graph was found to fit. */
  private readonly fitting = new WeakMap<LoweredGraph, Set<string>>();

  constructor(
    private readonly device: string,
    private readonly bytes: number,
  ) {}

  /** Refuses an array that is too large, by name. */
  check(name: string, type: ElementType, shape: readonly number[]): void {
    const bytes = elementCount(shape) * bytesOf(type);
    if (bytes <= this.bytes) return;
    const gigabytes = (count: number): string => `${Number((count / 1e9).toPrecision(3))} GB`;
    throw new GraphError(
      `${name} is ${type} ${showShape(shape)}, ${gigabytes(bytes)}: ${this.device} reaches no more than ` +
        `${gigabytes(this.bytes)} of one array`,
      { hint: "Split it along an axis, hold it in fewer bits, or use the device cpu." },
    );
  }

  /** Refuses a run that would read or write such an array, inner values included. */
  checkRun(program: string, graph: LoweredGraph, sizes: Sizes): void {
    const key = JSON.stringify([...sizes]);
    let known = this.fitting.get(graph);
    if (!known) this.fitting.set(graph, (known = new Set()));
    if (known.has(key)) return;
    const check = (what: string, value: Value): void => {
      const shape = shapeIn(value.shape, sizes);
      if (shape) this.check(`${what} of the program ${program}`, value.type, shape);
    };
    for (const [name, value] of graph.inputs) check(`Input ${name}`, value);
    for (const [name, value] of graph.outputs) check(`Output ${name}`, value);
    for (const { outputs, site } of graph.nodes)
      for (const output of outputs)
        if (this.exceeds(output, sizes)) check(`${output.name}, built at ${describeSite(site)},`, output);
    known.add(key);
  }

  private exceeds(value: Value, sizes: Sizes): boolean {
    const shape = shapeIn(value.shape, sizes);
    return shape !== undefined && elementCount(shape) * bytesOf(value.type) > this.bytes;
  }
}
