import { GraphBuilder } from "../builder.js";
import type { Device, DeviceArray, Program } from "../device.js";
import { add, mul } from "../ops/arithmetic.js";
import { reduceSum } from "../ops/reduce.js";
import { groups, namedShape, pieces, SMALL } from "./pieces.js";

/** The common norm of gradients, for clipping by it. */
export class GradientNorm {
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(readonly device: Device) {}

  /**
   * The 2-norm over the elements of all gradients; NaN or Infinity where one of them is not finite. On a device with
   * memory of its own the sum stays there until the last gradient is added: one read.
   */
  async of(gradients: Iterable<DeviceArray>): Promise<number> {
    if (this.device.memory === "host") return Math.sqrt(await this.onHost(gradients));
    return this.squareRootOf(await this.squaresOnDevice(gradients));
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
          const { sum: squares } = await (await this.program([1])).run({ gradient0: piece });
          sum += squares!.data[0] as number;
        }
    }
    return sum;
  }

  /**
   * The sum of the squares of all gradients, float32 without axes, in a device's memory: nothing is waited for. The
   * caller's from then on.
   */
  async squaresOnDevice(gradients: Iterable<DeviceArray>): Promise<DeviceArray> {
    let total = await this.device.upload(this.device.zeros([]));
    for (const group of groups(gradients, (gradient) => gradient)) {
      const program = await this.program(group.map(({ shape }) => shape.length));
      const feeds: Record<string, DeviceArray> = { total };
      group.forEach((gradient, i) => (feeds[`gradient${i}`] = gradient));
      const { sum } = await program.run(feeds);
      this.device.dispose(total);
      total = sum!;
    }
    return total;
  }

  private async squareRootOf(total: DeviceArray): Promise<number> {
    const [sum] = await this.device.read(total);
    this.device.dispose(total);
    return Math.sqrt(sum as number);
  }

  /** The squares' sum of gradients of these ranks, added to a total on a device. */
  private program(ranks: readonly number[]): Promise<Program> {
    const key = String(ranks);
    let program = this.programs.get(key);
    if (!program) {
      const graph = new GraphBuilder("squares");
      const host = this.device.memory === "host";
      const sums = ranks.map((rank, i) => {
        const gradient = graph.input(`gradient${i}`, "float32", namedShape(rank, String(i)));
        const squares = mul(gradient, gradient);
        // A GPU adds up each row by many threads, and a whole array by those of one.
        return reduceSum(host || rank < 2 ? squares : reduceSum(squares, [-1]));
      });
      const before = host ? [] : [graph.input("total", "float32", [])];
      graph.output(
        "sum",
        [...before, ...sums].reduce((sum, one) => add(sum, one)),
      );
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

/** What `clip_grad_norm_` adds to a norm. */
export const TINY = 1e-6;

/** What gradients of a norm are multiplied by so that it is no larger than the maximum: torch's `clip_grad_norm_`. */
export const clipCoefficient = (norm: number, maximum: number | null): number =>
  maximum === null ? 1 : Math.min(1, maximum / (norm + TINY));
