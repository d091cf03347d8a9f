import { GraphBuilder } from "../builder.js";
import type { Device, DeviceArray, Program } from "../device.js";
import { GraphError } from "../errors.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { sqrt } from "../ops/power.js";
import { AdamWOnDevice } from "./adamw-on-device.js";
import { pieces, SMALL } from "./pieces.js";

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

/** What gradients are multiplied by: a number, or what clips them to a norm, made on the device of their squares' sum. */
export type GradientScale = number | { readonly squares: DeviceArray; readonly maximum: number | null };

/** The numbers of a step that are the same for every parameter that decays alike. */
export interface StepNumbers {
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
 * outside the root. In the machine's memory weights and moments are changed in place; on a device graphs make new ones
 * and the handles are swapped.
 */
export class AdamW<P extends OptimizedParameter = OptimizedParameter> {
  /** Optimizer steps taken. */
  step = 0;
  readonly moments = new Map<string, Moments>();
  private inPieces: Promise<Program> | undefined;
  private readonly onDevice: AdamWOnDevice | undefined;

  constructor(
    readonly device: Device,
    readonly parameters: readonly P[],
    readonly options: AdamWOptions,
  ) {
    this.onDevice = device.memory === "host" ? undefined : new AdamWOnDevice(device, options);
  }

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
   * @param scale multiplies the gradients: clipping's coefficient, or on a device what it is made of
   */
  async update(gradients: ReadonlyMap<string, DeviceArray>, learningRate: number, scale: GradientScale): Promise<void> {
    await this.prepare();
    this.step++;
    const [beta1, beta2] = this.options.betas;
    const numbers = (decay: number): StepNumbers => ({
      scale: typeof scale === "number" ? scale : 1,
      decay,
      stepSize: learningRate / (1 - beta1 ** this.step),
      root: Math.sqrt(1 - beta2 ** this.step),
    });
    const decayed = numbers(1 - learningRate * this.options.weightDecay);
    if (this.onDevice) {
      const changed = this.parameters.flatMap((parameter) => {
        const gradient = gradients.get(parameter.name);
        return gradient ? [{ parameter, gradient, moments: this.moments.get(parameter.name)! }] : [];
      });
      await this.onDevice.update(changed, decayed, scale);
    } else if (typeof scale === "number") await this.updateInPlace(gradients, decayed, numbers(1));
    else throw new GraphError("AdamW: in the machine's memory the gradients' scale is a number");
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
    const program = await (this.inPieces ??= this.device.compile(adamWGraph(this.options)));
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

  async dispose(): Promise<void> {
    await (await this.inPieces)?.dispose();
    await this.onDevice?.dispose();
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

function adamWGraph({ betas: [beta1, beta2], epsilon }: AdamWOptions): GraphBuilder {
  const graph = new GraphBuilder("adamw");
  const tensor = (name: string) => graph.input(name, "float32", ["n"]);
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
