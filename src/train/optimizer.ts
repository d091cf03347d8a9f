import {
  add as addValues,
  type Device,
  type DeviceArray,
  div,
  GraphBuilder,
  mul,
  type Program,
  reduceSum,
  sqrt,
  sub,
} from "../graph/index.js";
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

  constructor(
    readonly device: Device,
    readonly parameters: readonly Parameter[],
    readonly options: AdamWOptions,
  ) {}

  /** Moments of zeros for every parameter; called by the first step, or before a checkpoint fills them. */
  async prepare(): Promise<void> {
    for (const { name, shape } of this.parameters) {
      if (!this.moments.has(name))
        this.moments.set(name, {
          first: await this.device.upload(this.device.zeros(shape)),
          second: await this.device.upload(this.device.zeros(shape)),
        });
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
    // A graph in pieces that fit the processor's cache takes two fifths of a loop over typed arrays.
    for (const parameter of this.parameters) {
      const gradient = gradients.get(parameter.name);
      if (!gradient) continue;
      const moments = this.moments.get(parameter.name) as Moments;
      const decay = parameter.decayed ? 1 - learningRate * this.options.weightDecay : 1;
      const stepSize = learningRate / corrections.first;
      const numbers = [scale, decay, stepSize, corrections.second];
      if (this.device.name === "cpu") await this.#updateInPlace(parameter, gradient, moments, numbers);
      else await this.#updateOnDevice(parameter, gradient, moments, numbers);
      this.device.dispose(gradient);
    }
  }

  async #updateInPlace(
    parameter: Parameter,
    gradient: DeviceArray,
    moments: Moments,
    numbers: readonly number[],
  ): Promise<void> {
    if (gradient.size < SMALL) return updateByLoop(parameter, gradient, moments, this.options, numbers);
    const program = await this.#program(["n"]);
    const scalars = this.#scalars(numbers);
    for (const [start, end] of pieces(gradient.size)) {
      const piece = (array: DeviceArray): DeviceArray =>
        this.device.array((array.data as Float32Array).subarray(start, end), [end - start]);
      const [weight, first, second] = [piece(parameter.array), piece(moments.first), piece(moments.second)];
      await program.run(
        { weight, gradient: piece(gradient), first, second, ...scalars },
        { into: { newWeight: weight, newFirst: first, newSecond: second } },
      );
    }
  }

  async #updateOnDevice(
    parameter: Parameter,
    gradient: DeviceArray,
    moments: Moments,
    numbers: readonly number[],
  ): Promise<void> {
    const program = await this.#program(parameter.shape.length ? parameter.shape : [1]);
    const made = await program.run({
      weight: parameter.array,
      gradient,
      first: moments.first,
      second: moments.second,
      ...this.#scalars(numbers),
    });
    for (const old of [parameter.array, moments.first, moments.second]) this.device.dispose(old);
    parameter.array = made.newWeight as DeviceArray;
    moments.first = made.newFirst as DeviceArray;
    moments.second = made.newSecond as DeviceArray;
  }

  #program(shape: readonly (number | string)[]): Promise<Program> {
    const key = JSON.stringify(shape);
    let program = this.#graphs.get(key);
    if (!program) this.#graphs.set(key, (program = this.device.compile(adamWGraph(shape, this.options))));
    return program;
  }

  #scalars([scale, decay, stepSize, root]: readonly number[]): Record<string, DeviceArray> {
    const scalar = (value: number): DeviceArray => this.device.array(Float32Array.of(value), []);
    return { scale: scalar(scale!), decay: scalar(decay!), stepSize: scalar(stepSize!), root: scalar(root!) };
  }

  async dispose(): Promise<void> {
    for (const program of this.#graphs.values()) await (await program).dispose();
    for (const { first, second } of this.moments.values())
      for (const array of [first, second]) this.device.dispose(array);
    this.moments.clear();
  }
}

/** Elements of a piece: its four arrays take 4 MiB. */
const PIECE = 262_144;

/** Under so many elements a loop is done before a graph has begun. */
const SMALL = 16_384;

function updateByLoop(
  parameter: Parameter,
  gradient: DeviceArray,
  moments: Moments,
  { betas: [beta1, beta2], epsilon }: AdamWOptions,
  [scale, decay, stepSize, root]: readonly number[],
): void {
  const [weights, gradients, first, second] = [parameter.array, gradient, moments.first, moments.second].map(
    ({ data }) => data as Float32Array,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < weights.length; i++) {
    const g = gradients[i]! * scale!;
    const m = (first[i] = beta1 * first[i]! + (1 - beta1) * g);
    const v = (second[i] = beta2 * second[i]! + (1 - beta2) * g * g);
    weights[i] = decay! * weights[i]! - (stepSize! * m) / (Math.sqrt(v) / root! + epsilon);
  }
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}

function* pieces(size: number): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < size; start += PIECE) yield [start, Math.min(size, start + PIECE)];
}

function adamWGraph(
  shape: readonly (number | string)[],
  { betas: [beta1, beta2], epsilon }: AdamWOptions,
): GraphBuilder {
  const graph = new GraphBuilder("adamw");
  const tensor = (name: string) => graph.input(name, "float32", shape);
  const number = (name: string) => graph.input(name, "float32", []);
  const [weight, gradient, first, second] = [tensor("weight"), tensor("gradient"), tensor("first"), tensor("second")];
  // Numbers are multiplied with numbers first: each pass over a tensor costs its memory's time.
  const [scale, root] = [number("scale"), number("root")];
  const m = addValues(mul(first, beta1), mul(gradient, mul(scale, 1 - beta1)));
  const part = mul(gradient, mul(scale, Math.sqrt(1 - beta2)));
  const v = addValues(mul(second, beta2), mul(part, part));
  const change = div(mul(m, mul(number("stepSize"), root)), addValues(sqrt(v), mul(root, epsilon)));
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
    for (const gradient of gradients) {
      if (this.device.name !== "cpu") {
        sum += await this.#squares(gradient);
        continue;
      }
      if (gradient.size < SMALL) {
        sum += sumOfSquares(gradient.data as Float32Array);
        continue;
      }
      // Sums of pieces in float32 are added in float64.
      for (const [start, end] of pieces(gradient.size))
        sum += await this.#squares(
          this.device.array((gradient.data as Float32Array).subarray(start, end), [end - start]),
          ["n"],
        );
    }
    return Math.sqrt(sum);
  }

  async #squares(
    gradient: DeviceArray,
    shape: readonly (number | string)[] = gradient.shape.length ? gradient.shape : [1],
  ): Promise<number> {
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

/** torch's `clip_grad_norm_`: what the gradients are multiplied by. */
export const clipCoefficient = (norm: number, maximum: number | null): number =>
  maximum === null ? 1 : Math.min(1, maximum / (norm + 1e-6));
