import { GraphBuilder } from "../builder.js";
import type { Device, DeviceArray, Program } from "../device.js";
import { add, mul } from "../ops/arithmetic.js";
import { reduceSum } from "../ops/reduce.js";
import { pieces, SMALL, shapeOfArray } from "./pieces.js";

/** The common norm of gradients, for clipping by it. */
export class GradientNorm {
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(readonly device: Device) {}

  /**
   * The 2-norm over the elements of all gradients; NaN or Infinity where one of them is not finite. On a device with
   * memory of its own the sum stays there until the last gradient is added: one read.
   */
  async of(gradients: Iterable<DeviceArray>): Promise<number> {
    return Math.sqrt(this.device.memory === "host" ? await this.onHost(gradients) : await this.onDevice(gradients));
  }

  private async onHost(gradients: Iterable<DeviceArray>): Promise<number> {
    let sum = 0;
    for (const gradient of gradients) {
      const elements = gradient.data as Float32Array;
      if (gradient.size < SMALL) sum += sumOfSquares(elements);
      // Sums of pieces in float32 are added in float64.
      else
        for (const [start, end] of pieces(gradient.size)) {
          const piece = this.device.array(elements.subarray(start, end), [end - start]);
          const { sum: squares } = await (await this.squares(["n"])).run({ gradient: piece });
          sum += squares!.data[0] as number;
        }
    }
    return sum;
  }

  private async onDevice(gradients: Iterable<DeviceArray>): Promise<number> {
    let total = await this.device.upload(this.device.zeros([]));
    for (const gradient of gradients) {
      const program = await this.squares(shapeOfArray(gradient));
      const { sum } = await program.run({ gradient, total });
      this.device.dispose(total);
      total = sum!;
    }
    const [sum] = await this.device.read(total);
    this.device.dispose(total);
    return sum as number;
  }

  private squares(shape: readonly (number | string)[]): Promise<Program> {
    const key = JSON.stringify(shape);
    let program = this.programs.get(key);
    if (!program) {
      const graph = new GraphBuilder("squares");
      const gradient = graph.input("gradient", "float32", shape);
      const sum = reduceSum(mul(gradient, gradient));
      graph.output("sum", this.device.memory === "host" ? sum : add(graph.input("total", "float32", []), sum));
      this.programs.set(key, (program = this.device.compile(graph)));
    }
    return program;
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    this.programs.clear();
  }
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}

/** What gradients of a norm are multiplied by so that it is no larger than the maximum: torch's `clip_grad_norm_`. */
export const clipCoefficient = (norm: number, maximum: number | null): number =>
  maximum === null ? 1 : Math.min(1, maximum / (norm + 1e-6));
