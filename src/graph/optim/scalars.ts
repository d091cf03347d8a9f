import { GraphBuilder } from "../builder.js";
import type { Device, DeviceArray, Program } from "../device.js";
import { concat } from "../ops/concat.js";
import { reshape } from "../ops/reshape.js";

/** Reads numbers that lie in a device's memory, many in one wait. */
export class Scalars {
  private readonly programs = new Map<number, Promise<Program>>();

  constructor(readonly device: Device) {}

  /** The elements of float32 arrays without axes, in order; the arrays are disposed of. */
  async read(arrays: readonly DeviceArray[]): Promise<number[]> {
    const program = await this.program(arrays.length);
    const { all } = await program.run(Object.fromEntries(arrays.map((array, i) => [`number${i}`, array])));
    const numbers = Array.from((await this.device.read(all!)) as Float32Array);
    for (const array of [...arrays, all!]) this.device.dispose(array);
    return numbers;
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    this.programs.clear();
  }

  private program(count: number): Promise<Program> {
    let program = this.programs.get(count);
    if (!program) {
      const graph = new GraphBuilder("numbers");
      const numbers = Array.from({ length: count }, (_, i) => reshape(graph.input(`number${i}`, "float32", []), [1]));
      graph.output("all", concat(numbers, 0));
      this.programs.set(count, (program = this.device.compile(graph, { keepOnDevice: false })));
    }
    return program;
  }
}
