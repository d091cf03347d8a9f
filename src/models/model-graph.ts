import {
  type CompileOptions,
  type DeviceArray,
  dropoutFrom,
  type ElementType,
  GraphBuilder,
  gradientsFrom,
  type Program,
  type Shape,
  type Value,
} from "../graph/index.js";
import { type DropoutInputs, type DropoutUse, dropoutInputs } from "./dropout.js";
import type { Parameter } from "./model.js";
import type { Weights } from "./weights.js";

/** The name of the graph output that holds a parameter's gradient. */
export const gradientName = (parameter: Pick<Parameter, "name">): string => `gradient/${parameter.name}`;

/**
 * A graph of a model: a builder whose weights are inputs, declared when first used and fed from {@link Weights} at each
 * run.
 */
export class ModelGraph {
  readonly builder: GraphBuilder;
  private readonly used = new Map<string, { readonly parameter: string; readonly value: Value }>();
  private readonly storedInputs = new Map<string, Readonly<Record<string, Value>>>();
  /** The inputs that dropout's masks are made of; undefined where there is none in the graph. */
  readonly dropouts: DropoutInputs | undefined;

  /** @param training whether dropout is part of the graph, which then needs the feeds of {@link dropouts} */
  constructor(
    name: string,
    readonly weights: Weights,
    training: false | DropoutUse = false,
  ) {
    this.builder = new GraphBuilder(name);
    if (training) this.dropouts = dropoutInputs(this.builder, weights.device, training);
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
    if (!this.dropouts || rate === 0) return x;
    return dropoutFrom(x, { rate, ...this.dropouts.numbers(x, site) });
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
