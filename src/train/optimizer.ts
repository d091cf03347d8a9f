import { add as addValues, type Device, type DeviceArray, div, GraphBuilder, mul, type Program, reduceSum, sqrt, sub } from "../graph/index.js";
import type { Parameter } from "../models/index.js";

export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Decoupled: of the weight itself, for parameters that decay. */
  readonly weightDecay: number;
}

/** The two moments of a parameter's gradient. */
export interface Moments {
  first: DeviceArray;
  second: DeviceArray;
}

/**
 * AdamW as torch has it (Loshchilov and Hutter 2019): decay first, both moments corrected for their start, epsilon outside
 * the root. On the CPU weights and moments are changed in place; on a GPU a graph makes new ones and the handles are swapped.
 */
export class AdamW {
  /** Optimizer steps taken. */
  step = 0;
  readonly moments = new Map<string, Moments>();
  readonly #graphs = new Map<string, Promise<Program>>();

  constructor(readonly device: Device, readonly parameters: readonly Parameter[], readonly options: AdamWOptions) {}

  /** Moments of zeros for every parameter; called by the first step, or before a checkpoint fills them. */
  async prepare(): Promise<void> {
    for (const { name, shape } of this.parameters) {
      if (!this.moments.has(name)) this.moments.set(name, { first: await this.device.upload(this.device.zeros(shape)), second: await this.device.upload(this.device.zeros(shape)) });
    }
  }

  /**
   * One step.
   * @param gradients by name; each is done with afterwards
   * @param scale multiplies the gradients: clipping's coefficient
   */
  async update(gradients: ReadonlyMap<string, DeviceArray>, learningRate: number, scale: number): Promise<void> {
    await this.prepare();
    this.step++;
    const [beta1, beta2] = this.options.betas;
    const corrections = { first: 1 - beta1 ** this.step, second: Math.sqrt(1 - beta2 ** this.step) };
    for (const parameter of this.parameters) {
      const gradient = gradients.get(parameter.name);
      if (!gradient) continue;
      const moments = this.moments.get(parameter.name) as Moments;
      const decay = parameter.decayed ? 1 - learningRate * this.options.weightDecay : 1;
      const stepSize = learningRate / corrections.first;
      if (this.device.name === "cpu") {
        updateInPlace(parameter.array.data as Float32Array, gradient.data as Float32Array, moments.first.data as Float32Array, moments.second.data as Float32Array, {
          beta1, beta2, decay, stepSize, scale, root: corrections.second, epsilon: this.options.epsilon,
        });
      } else await this.#updateOnDevice(parameter, gradient, moments, [scale, decay, stepSize, corrections.second]);
      this.device.dispose(gradient);
    }
  }

  async #updateOnDevice(parameter: Parameter, gradient: DeviceArray, moments: Moments, numbers: readonly number[]): Promise<void> {
    const shape = parameter.shape.length ? parameter.shape : [1];
    const key = JSON.stringify(shape);
    let program = this.#graphs.get(key);
    if (!program) this.#graphs.set(key, (program = this.device.compile(adamWGraph(shape, this.options))));
    const scalar = (value: number): DeviceArray => this.device.array(Float32Array.of(value), []);
    const [scale, decay, stepSize, root] = numbers as [number, number, number, number];
    const made = await (await program).run({ weight: parameter.array, gradient, first: moments.first, second: moments.second, scale: scalar(scale), decay: scalar(decay), stepSize: scalar(stepSize), root: scalar(root) });
    for (const old of [parameter.array, moments.first, moments.second]) this.device.dispose(old);
    parameter.array = made.newWeight as DeviceArray;
    moments.first = made.newFirst as DeviceArray;
    moments.second = made.newSecond as DeviceArray;
  }

  async dispose(): Promise<void> {
    for (const program of this.#graphs.values()) await (await program).dispose();
    for (const { first, second } of this.moments.values()) for (const array of [first, second]) this.device.dispose(array);
    this.moments.clear();
  }
}

interface UpdateNumbers {
  readonly beta1: number;
  readonly beta2: number;
  readonly decay: number;
  readonly stepSize: number;
  readonly scale: number;
  readonly root: number;
  readonly epsilon: number;
}

function updateInPlace(weight: Float32Array, gradient: Float32Array, first: Float32Array, second: Float32Array, numbers: UpdateNumbers): void {
  const { beta1, beta2, decay, stepSize, scale, root, epsilon } = numbers;
  const [rest1, rest2, inverseRoot] = [1 - beta1, 1 - beta2, 1 / root];
  for (let i = 0; i < weight.length; i++) {
    const g = (gradient[i] as number) * scale;
    const m = beta1 * (first[i] as number) + rest1 * g;
    const v = beta2 * (second[i] as number) + rest2 * g * g;
    first[i] = m;
    second[i] = v;
    weight[i] = decay * (weight[i] as number) - (stepSize * m) / (Math.sqrt(v) * inverseRoot + epsilon);
  }
}

function adamWGraph(shape: readonly number[], { betas: [beta1, beta2], epsilon }: AdamWOptions): GraphBuilder {
  const graph = new GraphBuilder("adamw");
  const tensor = (name: string) => graph.input(name, "float32", shape);
  const number = (name: string) => graph.input(name, "float32", []);
  const [weight, gradient, first, second] = [tensor("weight"), tensor("gradient"), tensor("first"), tensor("second")];
  const g = mul(gradient, number("scale"));
  const m = addValues(mul(first, beta1), mul(g, 1 - beta1));
  const v = addValues(mul(second, beta2), mul(mul(g, g), 1 - beta2));
  const change = div(mul(m, number("stepSize")), addValues(div(sqrt(v), number("root")), epsilon));
  graph.output("newWeight", sub(mul(weight, number("decay")), change));
  graph.output("newFirst", m);
  graph.output("newSecond", v);
  return graph;
}

/** Sums of squares of gradients, for clipping by their common norm. */
export class GradientNorm {
  readonly #graphs = new Map<string, Promise<Program>>();

  constructor(readonly device: Device) {}

  /** The 2-norm over all gradients; NaN or Infinity where one of them is not finite. */
  async of(gradients: Iterable<DeviceArray>): Promise<number> {
    let sum = 0;
    for (const gradient of gradients) sum += this.device.name === "cpu" ? sumOfSquares(gradient.data as Float32Array) : await this.#onDevice(gradient);
    return Math.sqrt(sum);
  }

  async #onDevice(gradient: DeviceArray): Promise<number> {
    const shape = gradient.shape.length ? gradient.shape : [1];
    const key = JSON.stringify(shape);
    let program = this.#graphs.get(key);
    if (!program) {
      const graph = new GraphBuilder("squares");
      const input = graph.input("gradient", "float32", shape);
      graph.output("sum", reduceSum(mul(input, input)));
      this.#graphs.set(key, (program = this.device.compile(graph, { keepOnDevice: false })));
    }
    const { sum } = await (await program).run({ gradient });
    return (await this.device.read(sum as DeviceArray))[0] as number;
  }

  async dispose(): Promise<void> {
    for (const program of this.#graphs.values()) await (await program).dispose();
  }
}

function sumOfSquares(values: Float32Array): number {
  // Four sums run beside each other: one chain of additions would wait for itself.
  let [a, b, c, d] = [0, 0, 0, 0];
  const even = values.length & ~3;
  for (let i = 0; i < even; i += 4) {
    const [w, x, y, z] = [values[i] as number, values[i + 1] as number, values[i + 2] as number, values[i + 3] as number];
    a += w * w;
    b += x * x;
    c += y * y;
    d += z * z;
  }
  for (let i = even; i < values.length; i++) a += (values[i] as number) ** 2;
  return a + b + c + d;
}

/** torch's `clip_grad_norm_`: what the gradients are multiplied by. */
export const clipCoefficient = (norm: number, maximum: number | null): number => (maximum === null ? 1 : Math.min(1, maximum / (norm + 1e-6)));
