import { GraphBuilder } from "../builder.js";
import type { Device, DeviceArray, Program } from "../device.js";
import { add } from "../ops/arithmetic.js";
import { groups, namedShape } from "./pieces.js";

/** Adds up gradients of several batches by name; on a device many in one run. */
export class GradientSums {
  /** What was added up so far; complete after {@link settle}. */
  readonly sums = new Map<string, DeviceArray>();
  private waiting: { readonly name: string; readonly more: DeviceArray }[] = [];

  constructor(private readonly programs: SumPrograms) {}

  /**
   * Takes a gradient, which is the sums' from then on.
   * @returns whether it was added to another, so that its memory may be written into (on the CPU)
   */
  async take(name: string, gradient: DeviceArray): Promise<boolean> {
    const before = this.sums.get(name);
    if (!before) this.sums.set(name, gradient);
    else if (this.programs.device.memory === "host")
      this.sums.set(name, await this.programs.device.add(before, gradient));
    else this.waiting.push({ name, more: gradient });
    return before !== undefined;
  }

  /** Adds what waits to be added: between two batches, and before the sums are read. */
  async settle(): Promise<void> {
    for (const group of groups(this.waiting.splice(0), ({ more }) => more)) {
      const pairs = group.map(({ name, more }) => [this.sums.get(name)!, more] as const);
      const added = await this.programs.add(pairs);
      group.forEach(({ name }, i) => this.sums.set(name, added[i]!));
    }
  }
}

/** The programs of {@link GradientSums}, which last for many. */
export class SumPrograms {
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(readonly device: Device) {}

  /** a + b of each pair, both of which are disposed of. */
  async add(pairs: readonly (readonly [DeviceArray, DeviceArray])[]): Promise<DeviceArray[]> {
    const program = await this.program(pairs.map(([{ shape }]) => shape.length));
    const feeds = Object.fromEntries(
      pairs.flatMap(([a, b], i) => [
        [`a${i}`, a],
        [`b${i}`, b],
      ]),
    );
    const made = await program.run(feeds);
    for (const array of pairs.flat()) this.device.dispose(array);
    return pairs.map((_, i) => made[`sum${i}`]!);
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    this.programs.clear();
  }

  private program(ranks: readonly number[]): Promise<Program> {
    const key = String(ranks);
    let program = this.programs.get(key);
    if (!program) {
      const graph = new GraphBuilder("sums");
      ranks.forEach((rank, i) => {
        const [a, b] = ["a", "b"].map((name) => graph.input(`${name}${i}`, "float32", namedShape(rank, String(i))));
        graph.output(`sum${i}`, add(a!, b!));
      });
      this.programs.set(key, (program = this.device.compile(graph)));
    }
    return program;
  }
}
