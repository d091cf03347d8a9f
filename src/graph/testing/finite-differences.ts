import { GraphBuilder, type Value } from "../builder.js";
import type { Device, DeviceArray } from "../device.js";
import { GraphError } from "../errors.js";
import { gradientsFrom } from "../gradient.js";
import type { Sample } from "../operation.js";
import { arrayFromNumbers, type TypedArray } from "../types.js";

export interface Comparison {
  readonly input: string;
  readonly element: number;
  readonly derived: number;
  readonly measured: number;
  /** Their distance over the larger of 1 and their sizes. */
  readonly error: number;
}

export interface CheckOptions {
  readonly samples: Readonly<Record<string, Sample>>;
  readonly build: (inputs: Readonly<Record<string, Value>>) => Value | readonly Value[];
  /** The step of the central difference. */
  readonly step?: number;
  /** Draws the gradients of the outputs. */
  readonly random: () => number;
}

/**
 * Compares the gradients that the rules derive with central differences of the forward graph, element by element,
 * for random gradients of the outputs. Gives the worst comparison of each input.
 */
export async function compareWithDifferences(
  device: Device,
  { samples, build, step = 1e-5, random }: CheckOptions,
): Promise<Comparison[]> {
  const forwardGraph = new GraphBuilder("forward");
  const forwardOutputs = listOf(build(declare(forwardGraph, samples)));
  forwardOutputs.forEach((output, i) => forwardGraph.output(`out${i}`, output));
  const forward = await device.compile(forwardGraph, { optimization: "disabled" });
  const arrays: Record<string, DeviceArray> = {};
  for (const [name, sample] of Object.entries(samples))
    arrays[name] = device.array(elements(sample), sample.shape, sample.type ?? "float64");

  const first = await forward.run(arrays);
  const weights = forwardOutputs.map((output, i) => {
    const result = first[`out${i}`]!;
    return {
      name: `weight${i}`,
      type: output.type,
      shape: output.shape,
      array: device.array(
        arrayFromNumbers(Array.from({ length: result.size }, random), output.type),
        result.shape,
        output.type,
      ),
    };
  });

  const graph = new GraphBuilder("gradients");
  const inputs = declare(graph, samples);
  const outputs = listOf(build(inputs));
  const cotangents = weights.map((weight) => graph.input(weight.name, weight.type, weight.shape));
  const names = Object.keys(samples).filter(
    (name) => samples[name]!.checked ?? (samples[name]!.type ?? "float64").startsWith("float"),
  );
  gradientsFrom(
    outputs,
    cotangents,
    names.map((name) => inputs[name]!),
  ).forEach((gradient, i) => graph.output(`d${names[i]}`, gradient));
  const program = await device.compile(graph);
  const derived = await program.run({
    ...arrays,
    ...Object.fromEntries(weights.map((weight) => [weight.name, weight.array])),
  });

  const objective = async (): Promise<number> => {
    const result = await forward.run(arrays);
    let sum = 0;
    for (const [i, weight] of weights.entries())
      sum += dot((await device.read(result[`out${i}`]!)) as Float64Array, weight.array.data as Float64Array);
    return sum;
  };
  const worst: Comparison[] = [];
  for (const name of names) {
    const data = arrays[name]!.data as Float64Array;
    const gradient = (await device.read(derived[`d${name}`]!)) as Float64Array;
    if (gradient.length !== data.length)
      throw new GraphError(`The gradient of ${name} has ${gradient.length} elements, ${name} ${data.length}`);
    let most: Comparison | undefined;
    for (let element = 0; element < data.length; element++) {
      const at = data[element]!;
      data[element] = at + step;
      const up = await objective();
      data[element] = at - step;
      const down = await objective();
      data[element] = at;
      const measured = (up - down) / (2 * step);
      const error =
        Math.abs(measured - gradient[element]!) / Math.max(1, Math.abs(measured), Math.abs(gradient[element]!));
      if (!most || !(error <= most.error))
        most = { input: name, element, derived: gradient[element]!, measured, error };
    }
    if (most) worst.push(most);
  }
  await forward.dispose();
  await program.dispose();
  return worst;
}

/** An input for each sample. */
export function declare(graph: GraphBuilder, samples: Readonly<Record<string, Sample>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(samples).map(([name, { type, shape, names }]) => [
      name,
      graph.input(
        name,
        type ?? "float64",
        shape.map((size, axis) => names?.[axis] || size),
      ),
    ]),
  );
}

function elements({ data, type }: Sample): TypedArray {
  return arrayFromNumbers(data, type ?? "float64");
}

function listOf(values: Value | readonly Value[]): readonly Value[] {
  return Array.isArray(values) ? (values as readonly Value[]) : [values as Value];
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
