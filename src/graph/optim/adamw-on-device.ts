import { GraphBuilder, type Value } from "../builder.js";
import type { Device, DeviceArray, Program } from "../device.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { split } from "../ops/concat.js";
import { minimum } from "../ops/piecewise.js";
import { sqrt } from "../ops/power.js";
import { reshape } from "../ops/reshape.js";
import type { AdamWOptions, GradientScale, Moments, OptimizedParameter } from "./adamw.js";
import { TINY } from "./clip.js";
import { groups, namedShape } from "./pieces.js";

/** What a step is told: four numbers, sent together. */
const TOLD = ["scale", "decay", "stepSize", "root"] as const;
export type StepNumbers = Readonly<Record<(typeof TOLD)[number], number>>;

/** What is made of them once for all parameters. */
const MADE = ["firstScale", "secondScale", "step", "epsilon", "decay"] as const;
type Made = Readonly<Record<(typeof MADE)[number], DeviceArray>>;

/** A parameter with what its step reads. */
interface Changed {
  readonly parameter: OptimizedParameter;
  readonly gradient: DeviceArray;
  readonly moments: Moments;
}

/** AdamW in a device's memory: many parameters a run, one array of four numbers sent a step, nothing read. */
export class AdamWOnDevice {
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(
    private readonly device: Device,
    private readonly options: AdamWOptions,
  ) {}

  /** One step of these parameters; gradients, old weights and old moments are disposed of. */
  async update(changed: readonly Changed[], numbers: StepNumbers, scale: GradientScale): Promise<void> {
    const made = await this.make(numbers, scale);
    for (const decayed of [true, false]) {
      const some = changed.filter(({ parameter }) => parameter.decayed === decayed);
      const { decay, ...others } = made;
      // Those of a rank share a program, whose sizes are names.
      const ranked = some.toSorted((a, b) => a.parameter.array.shape.length - b.parameter.array.shape.length);
      for (const group of groups(ranked, ({ parameter }) => parameter.array))
        await this.updateGroup(group, decayed ? { ...others, decay } : others);
    }
    for (const array of Object.values(made)) this.device.dispose(array);
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    this.programs.clear();
  }

  private async updateGroup(
    group: readonly Changed[],
    numbers: Omit<Made, "decay"> & Partial<Pick<Made, "decay">>,
  ): Promise<void> {
    const ranks = group.map(({ parameter }) => parameter.array.shape.length);
    const decays = numbers.decay !== undefined;
    const program = await this.program(`adamw ${decays} ${ranks}`, () => this.stepGraph(ranks, decays));
    const feeds: Record<string, DeviceArray> = { ...numbers };
    group.forEach(({ parameter, gradient, moments: { first, second } }, i) =>
      Object.assign(feeds, {
        [`weight${i}`]: parameter.array,
        [`gradient${i}`]: gradient,
        [`first${i}`]: first,
        [`second${i}`]: second,
      }),
    );
    const made = await program.run(feeds);
    for (const [i, { parameter, gradient, moments }] of group.entries()) {
      for (const old of [parameter.array, moments.first, moments.second, gradient]) this.device.dispose(old);
      parameter.array = made[`newWeight${i}`]!;
      moments.first = made[`newFirst${i}`]!;
      moments.second = made[`newSecond${i}`]!;
    }
  }

  /** The numbers of a step in the device's memory, the clipping coefficient among them. */
  private async make(numbers: StepNumbers, scale: GradientScale): Promise<Made> {
    const clips = typeof scale !== "number" && scale.maximum !== null;
    const first = typeof scale === "number" ? scale : (scale.maximum ?? 1);
    const told = Float32Array.from(TOLD, (name) => (name === "scale" ? first : numbers[name]));
    const program = await this.program(`numbers ${clips}`, () => this.numbersGraph(clips));
    return (await program.run({
      told: this.device.array(told, [TOLD.length]),
      ...(clips ? { squares: scale.squares } : {}),
    })) as unknown as Made;
  }

  private numbersGraph(clips: boolean): GraphBuilder {
    const {
      betas: [beta1, beta2],
      epsilon,
    } = this.options;
    const graph = new GraphBuilder("adamw.numbers");
    const told = graph.input("told", "float32", [TOLD.length]);
    const ones = TOLD.map(() => 1);
    const [first, decay, stepSize, root] = split(told, 0, ones).map((one) => reshape(one, [])) as [
      Value,
      Value,
      Value,
      Value,
    ];
    const scale = clips ? minimum(div(first, add(sqrt(graph.input("squares", "float32", [])), TINY)), 1) : first;
    const made: Record<(typeof MADE)[number], Value> = {
      firstScale: mul(scale, 1 - beta1),
      secondScale: mul(scale, Math.sqrt(1 - beta2)),
      step: mul(stepSize, root),
      epsilon: mul(root, epsilon),
      decay,
    };
    for (const name of MADE) graph.output(name, made[name]);
    return graph;
  }

  private stepGraph(ranks: readonly number[], decays: boolean): GraphBuilder {
    const [beta1, beta2] = this.options.betas;
    const graph = new GraphBuilder("adamw");
    const number = (name: (typeof MADE)[number]): Value => graph.input(name, "float32", []);
    const [firstScale, secondScale, step, epsilon] = (["firstScale", "secondScale", "step", "epsilon"] as const).map(
      number,
    ) as [Value, Value, Value, Value];
    const decay = decays ? number("decay") : undefined;
    ranks.forEach((rank, i) => {
      const [weight, gradient, first, second] = ["weight", "gradient", "first", "second"].map((name) =>
        graph.input(`${name}${i}`, "float32", namedShape(rank, String(i))),
      ) as [Value, Value, Value, Value];
      const m = add(mul(first, beta1), mul(gradient, firstScale));
      const part = mul(gradient, secondScale);
      const v = add(mul(second, beta2), mul(part, part));
      const change = div(mul(m, step), add(sqrt(v), epsilon));
      graph.output(`newWeight${i}`, sub(decay ? mul(weight, decay) : weight, change));
      graph.output(`newFirst${i}`, m);
      graph.output(`newSecond${i}`, v);
    });
    return graph;
  }

  private program(key: string, build: () => GraphBuilder): Promise<Program> {
    let program = this.programs.get(key);
    if (!program) this.programs.set(key, (program = this.device.compile(build())));
    return program;
  }
}
