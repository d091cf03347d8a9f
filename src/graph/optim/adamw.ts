import { GraphBuilder } from "../builder.js";
import type { Device, DeviceArray, Program } from "../device.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { sqrt } from "../ops/power.js";
import { pieces, SMALL, shapeOfArray } from "./pieces.js";

export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Decoupled: of the weight itself, for parameters that decay. */
  readonly weightDecay: number;
}

/** A weight that an optimizer changes. */
export interface OptimizedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether weight decay applies to it. */
  readonly decayed: boolean;
  /** float32; changed in place in the machine's memory, replaced by a new array in a device's. */
  array: DeviceArray;
}

/** The two moments of a parameter's gradient. */
export interface Moments {
  first: DeviceArray;
  second: DeviceArray;
}

/** The numbers of a step that are the same for every parameter that decays alike. */
interface StepNumbers {
  /** Multiplies the gradients. */
  readonly scale: number;
  /** Multiplies the weight. */
  readonly decay: number;
  readonly stepSize: number;
  /** √ of the second moment's correction. */
  readonly root: number;
}

type StepArrays = Readonly<Record<keyof StepNumbers, DeviceArray>>;

/**
 * AdamW as torch has it (Loshchilov and Hutter 2019): decay first, both moments corrected for their start, epsilon
 * outside the root. In the machine's memory weights and moments are changed in place; on a device a graph makes new
 * ones and the handles are swapped.
 */
export class AdamW<P extends OptimizedParameter = OptimizedParameter> {
  /** Optimizer steps taken. */
  step = 0;
  readonly moments = new Map<string, Moments>();
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(
    readonly device: Device,
    readonly parameters: readonly P[],
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
    const numbers = (decay: number): StepNumbers => ({
      scale,
      decay,
      stepSize: learningRate / (1 - beta1 ** this.step),
      root: Math.sqrt(1 - beta2 ** this.step),
    });
    const decayed = numbers(1 - learningRate * this.options.weightDecay);
    const plain = numbers(1);
    if (this.device.memory === "host") await this.updateInPlace(gradients, decayed, plain);
    else await this.updateOnDevice(gradients, decayed, plain);
  }

  private async updateInPlace(
    gradients: ReadonlyMap<string, DeviceArray>,
    decayed: StepNumbers,
    plain: StepNumbers,
  ): Promise<void> {
    const [decayedArrays, plainArrays] = [this.arrays(decayed), this.arrays(plain)];
    for (const parameter of this.parameters) {
      const gradient = gradients.get(parameter.name);
      if (!gradient) continue;
      const moments = this.moments.get(parameter.name)!;
      // A graph in pieces that fit the processor's cache takes two fifths of a loop over typed arrays.
      if (gradient.size < SMALL)
        updateByLoop(parameter, gradient, moments, this.options, parameter.decayed ? decayed : plain);
      else await this.updateInPieces(parameter, gradient, moments, parameter.decayed ? decayedArrays : plainArrays);
      this.device.dispose(gradient);
    }
  }

  private async updateInPieces(
    parameter: OptimizedParameter,
    gradient: DeviceArray,
    moments: Moments,
    numbers: StepArrays,
  ): Promise<void> {
    const program = await this.program(["n"]);
    for (const [start, end] of pieces(gradient.size)) {
      const piece = (array: DeviceArray): DeviceArray =>
        this.device.array((array.data as Float32Array).subarray(start, end), [end - start]);
      const [weight, first, second] = [piece(parameter.array), piece(moments.first), piece(moments.second)];
      await program.run(
        { weight, gradient: piece(gradient), first, second, ...numbers },
        { into: { newWeight: weight, newFirst: first, newSecond: second } },
      );
    }
  }

  private async updateOnDevice(
    gradients: ReadonlyMap<string, DeviceArray>,
    decayed: StepNumbers,
    plain: StepNumbers,
  ): Promise<void> {
    const [decayedArrays, plainArrays] = await this.uploaded(decayed, plain);
    for (const parameter of this.parameters) {
      const gradient = gradients.get(parameter.name);
      if (!gradient) continue;
      const moments = this.moments.get(parameter.name)!;
      const program = await this.program(shapeOfArray(parameter));
      const made = await program.run({
        weight: parameter.array,
        gradient,
        first: moments.first,
        second: moments.second,
        ...(parameter.decayed ? decayedArrays : plainArrays),
      });
      for (const old of [parameter.array, moments.first, moments.second, gradient]) this.device.dispose(old);
      parameter.array = made["newWeight"]!;
      moments.first = made["newFirst"]!;
      moments.second = made["newSecond"]!;
    }
    for (const array of new Set([...Object.values(decayedArrays), ...Object.values(plainArrays)]))
      this.device.dispose(array);
  }

  /** The numbers in the device's memory, sent once for all parameters. */
  private async uploaded(decayed: StepNumbers, plain: StepNumbers): Promise<[StepArrays, StepArrays]> {
    const up = async (number: number): Promise<DeviceArray> => this.device.upload(this.scalar(number));
    const both = { scale: await up(plain.scale), stepSize: await up(plain.stepSize), root: await up(plain.root) };
    return [
      { ...both, decay: await up(decayed.decay) },
      { ...both, decay: await up(plain.decay) },
    ];
  }

  private arrays({ scale, decay, stepSize, root }: StepNumbers): StepArrays {
    return {
      scale: this.scalar(scale),
      decay: this.scalar(decay),
      stepSize: this.scalar(stepSize),
      root: this.scalar(root),
    };
  }

  private scalar(value: number): DeviceArray {
    return this.device.array(Float32Array.of(value), []);
  }

  private program(shape: readonly (number | string)[]): Promise<Program> {
    const key = JSON.stringify(shape);
    let program = this.programs.get(key);
    if (!program) this.programs.set(key, (program = this.device.compile(adamWGraph(shape, this.options))));
    return program;
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    for (const { first, second } of this.moments.values())
      for (const array of [first, second]) this.device.dispose(array);
    this.moments.clear();
  }
}

function updateByLoop(
  parameter: OptimizedParameter,
  gradient: DeviceArray,
  moments: Moments,
  { betas: [beta1, beta2], epsilon }: AdamWOptions,
  { scale, decay, stepSize, root }: StepNumbers,
): void {
  const [weights, gradients, first, second] = [parameter.array, gradient, moments.first, moments.second].map(
    ({ data }) => data as Float32Array,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < weights.length; i++) {
    const g = gradients[i]! * scale;
    const m = (first[i] = beta1 * first[i]! + (1 - beta1) * g);
    const v = (second[i] = beta2 * second[i]! + (1 - beta2) * g * g);
    weights[i] = decay * weights[i]! - (stepSize * m) / (Math.sqrt(v) / root + epsilon);
  }
}

function adamWGraph(
  shape: readonly (number | string)[],
  { betas: [beta1, beta2], epsilon }: AdamWOptions,
): GraphBuilder {
  const graph = new GraphBuilder("adamw");
  const tensor = (name: string) => graph.input(name, "float32", shape);
  const number = (name: keyof StepNumbers) => graph.input(name, "float32", []);
  const [weight, gradient, first, second] = [tensor("weight"), tensor("gradient"), tensor("first"), tensor("second")];
  // Numbers are multiplied with numbers first: each pass over a tensor costs its memory's time.
  const [scale, root] = [number("scale"), number("root")];
  const m = add(mul(first, beta1), mul(gradient, mul(scale, 1 - beta1)));
  const part = mul(gradient, mul(scale, Math.sqrt(1 - beta2)));
  const v = add(mul(second, beta2), mul(part, part));
  const change = div(mul(m, mul(number("stepSize"), root)), add(sqrt(v), mul(root, epsilon)));
  graph.output("newWeight", sub(mul(weight, number("decay")), change));
  graph.output("newFirst", m);
  graph.output("newSecond", v);
  return graph;
}
