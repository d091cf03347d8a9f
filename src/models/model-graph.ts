import { dropout, GraphBuilder, gradientsFrom, type DeviceArray, type ElementType, type Shape, type Value } from "../graph/index.js";
import type { Parameter } from "./model.js";
import type { Weights } from "./weights.js";

/** The name of the graph output that holds a parameter's gradient. */
export const gradientName = (parameter: Pick<Parameter, "name">): string => `gradient/${parameter.name}`;

/** The graph input that seeds all dropout masks. */
export const DROPOUT_SEED = "dropoutSeed";

/**
 * A graph of a model: a builder whose weights are inputs, declared when first used and fed from {@link Weights} at each
 * run.
 */
export class ModelGraph {
  readonly builder: GraphBuilder;
  private readonly used = new Map<string, { readonly parameter: string; readonly value: Value }>();
  private readonly arrays = new Map<string, () => DeviceArray>();
  private readonly sites = new Map<string, number>();

  /** @param training whether dropout is part of the graph; it then has an input {@link DROPOUT_SEED} where a rate is above 0 */
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

  /** Another array that the model holds, such as a quantized weight's codes, as an input; `current` is asked at each run. */
  array(name: string, type: ElementType, shape: Shape, current: () => DeviceArray): Value {
    const known = this.builder.inputs.get(name);
    if (known) return known;
    this.arrays.set(name, current);
    return this.builder.input(name, type, shape);
  }

  /**
   * x with a share `rate` of its elements zeroed and the rest scaled up, in a training graph; x itself elsewhere. The
   * same site has the same mask wherever it is used in a graph.
   */
  dropout(x: Value, rate: number, site: string): Value {
    if (!this.training || rate === 0) return x;
    let number = this.sites.get(site);
    if (number === undefined) this.sites.set(site, (number = this.sites.size));
    const seed = this.builder.inputs.get(DROPOUT_SEED) ?? this.builder.input(DROPOUT_SEED, "int32", []);
    return dropout(x, { rate, seed, site: number });
  }

  /** The arrays of all weights that the graph uses, as they are now. */
  feeds(): Record<string, DeviceArray> {
    const feeds: Record<string, DeviceArray> = {};
    for (const name of this.used.keys()) feeds[name] = this.weights.get(name).array;
    for (const [name, current] of this.arrays) feeds[name] = current();
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
  outputGradients(output: Value, scale: Value, apart: ReadonlySet<string> = new Set(), further: readonly Value[] = []): Value[] {
    const parameters = this.trained().filter(({ name }) => !apart.has(name));
    const values = parameters.map(({ name }) => this.used.get(name)!.value);
    const gradients = gradientsFrom([output], [scale], [...values, ...further]);
    parameters.forEach((parameter, i) => this.builder.output(gradientName(parameter), gradients[i]!));
    return gradients.slice(parameters.length);
  }
}
