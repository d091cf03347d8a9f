import {
  type CompileOptions,
  type Device,
  type DeviceArray,
  type Dimension,
  dropoutFrom,
  dropoutNumbers,
  type ElementType,
  GraphBuilder,
  gradientsFrom,
  type Program,
  type Shape,
  type Value,
} from "../graph/index.js";
import type { Parameter } from "./model.js";
import type { Weights } from "./weights.js";

/** The name of the graph output that holds a parameter's gradient. */
export const gradientName = (parameter: Pick<Parameter, "name">): string => `gradient/${parameter.name}`;

interface DropoutSite {
  readonly number: number;
  readonly rows: Value;
  readonly columns: Value;
}

/**
 * A graph of a model: a builder whose weights are inputs, declared when first used and fed from {@link Weights} at each
 * run.
 */
export class ModelGraph {
  readonly builder: GraphBuilder;
  private readonly used = new Map<string, { readonly parameter: string; readonly value: Value }>();
  private readonly storedInputs = new Map<string, Readonly<Record<string, Value>>>();
  private readonly sites = new Map<string, DropoutSite>();

  /** @param training whether dropout is part of the graph, which then needs {@link dropoutFeeds} */
  constructor(
    name: string,
    readonly weights: Weights,
    readonly training = false,
  ) {
    this.builder = new GraphBuilder(name);
  }

  /** An input of the batch. */
  input(name: string, type: ElementType, shape: Shape): Value {
    return this.builder.input(name, type, shape);
  }

  /** A float32 parameter as an input of the graph. @throws UserError where the model has none of that name. */
  weight(name: string): Value {
    const known = this.used.get(name);
    if (known) return known.value;
    const parameter = this.weights.get(name);
    const value = this.builder.input(name, "float32", parameter.shape);
    this.used.set(name, { parameter: name, value });
    return value;
  }

  /** A stored weight's arrays as inputs; undefined where the weight is not stored. */
  stored(name: string): Readonly<Record<string, Value>> | undefined {
    const weight = this.weights.storedWeight(name);
    if (!weight) return undefined;
    let inputs = this.storedInputs.get(name);
    if (!inputs) {
      inputs = Object.fromEntries(
        Object.entries(weight.arrays).map(([key, { type, shape }]) => [
          key,
          this.builder.input(`${name}/${key}`, type, shape),
        ]),
      );
      this.storedInputs.set(name, inputs);
    }
    return inputs;
  }

  /**
   * x with a share `rate` of its elements zeroed and the rest scaled up, in a training graph; x itself elsewhere. The
   * same site has the same mask wherever it is used in a graph.
   */
  dropout(x: Value, rate: number, site: string): Value {
    if (!this.training || rate === 0) return x;
    let known = this.sites.get(site);
    if (!known) {
      const rows = this.builder.input(`dropout/${site}/rows`, "int32", [x.shape.slice(0, -1).reduce(product, 1), 1]);
      const columns = this.builder.input(`dropout/${site}/columns`, "int32", [1, x.dimension(-1)]);
      this.sites.set(site, (known = { number: this.sites.size, rows, columns }));
    }
    return dropoutFrom(x, { rate, rows: known.rows, columns: known.columns });
  }

  /**
   * What the masks of a run are made of: another seed, other masks; the same seed, the same.
   * @param sizes what the names among the graph's dimensions stand for in the run
   */
  dropoutFeeds(device: Device, seed: number, sizes: Readonly<Record<string, number>>): Record<string, DeviceArray> {
    const feeds: Record<string, DeviceArray> = {};
    for (const { number, rows, columns } of this.sites.values()) {
      const counts = [sizeOf(rows.dimension(0), sizes), sizeOf(columns.dimension(1), sizes)] as const;
      feeds[rows.name] = device.array(dropoutNumbers(seed | 0, number, 0, counts[0]), [counts[0], 1]);
      feeds[columns.name] = device.array(dropoutNumbers(seed | 0, number, 1, counts[1]), [1, counts[1]]);
    }
    return feeds;
  }

  /**
   * The arrays of all weights that the graph uses, as they are now.
   * @param rename gives the weight to feed for one that the graph was built with: a graph of one layer serves all of
   * its kind
   */
  feeds(rename: (name: string) => string = (name) => name): Record<string, DeviceArray> {
    const feeds: Record<string, DeviceArray> = {};
    for (const name of this.used.keys()) feeds[name] = this.weights.get(rename(name)).array;
    for (const [name, inputs] of this.storedInputs) {
      const { arrays } = this.weights.storedWeight(rename(name))!;
      for (const key of Object.keys(inputs)) feeds[`${name}/${key}`] = arrays[key]!;
    }
    return feeds;
  }

  /** Trained parameters that the graph uses, in the weights' order. */
  trained(): Parameter[] {
    return this.weights.parameters.filter(({ name, trained }) => trained && this.used.has(name));
  }

  /**
   * Adds the gradient of every trained parameter that the graph uses (but those in `apart`) as an output, named by
   * {@link gradientName}, and gives back the gradients of some further values.
   * @param output of one element
   * @param scale multiplies all gradients; of one element
   */
  outputGradients(
    output: Value,
    scale: Value,
    apart: ReadonlySet<string> = new Set(),
    further: readonly Value[] = [],
  ): Value[] {
    const parameters = this.trained().filter(({ name }) => !apart.has(name));
    const values = parameters.map(({ name }) => this.used.get(name)!.value);
    const gradients = gradientsFrom([output], [scale], [...values, ...further]);
    parameters.forEach((parameter, i) => this.builder.output(gradientName(parameter), gradients[i]!));
    return gradients.slice(parameters.length);
  }
}

/** A graph with its program. */
export interface CompiledGraph {
  readonly graph: ModelGraph;
  readonly program: Program;
  dispose(): Promise<void>;
}

export async function compileGraph(graph: ModelGraph, options?: CompileOptions): Promise<CompiledGraph> {
  const program = await graph.weights.device.compile(graph.builder, options);
  return { graph, program, dispose: () => program.dispose() };
}

function product(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a * b;
  return a === 1 ? b : b === 1 ? a : `${a}*${b}`;
}

/** The size that a dimension such as `8*B*T` has where its names stand for these. */
function sizeOf(dimension: Dimension, sizes: Readonly<Record<string, number>>): number {
  if (typeof dimension === "number") return dimension;
  return dimension.split("*").reduce((total, part) => {
    const size = /^\d+$/.test(part) ? Number(part) : sizes[part];
    if (size === undefined) throw new Error(`no size is given for ${part}`);
    return total * size;
  }, 1);
}
