import { GraphBuilder, type Value } from "../builder.js";
import type { CompileOptions, Device, Program } from "../device.js";
import { gradientsFrom } from "../gradient.js";
import type { Case } from "../operation.js";
import { add } from "../ops/arithmetic.js";
import { declare } from "./finite-differences.js";

/** A case compiled with its values as `out0`, … and, where it has any, its gradients as `dx` for an input x. */
export async function compileCase(
  device: Device,
  { samples, build, gradient }: Case,
  options: CompileOptions = {},
): Promise<{ readonly program: Program }> {
  const graph = new GraphBuilder("case");
  const inputs = declare(graph, samples);
  const built = build(inputs);
  const outputs = (Array.isArray(built) ? built : [built]) as readonly Value[];
  outputs.forEach((output, i) => graph.output(`out${i}`, output));
  if (gradient !== false) {
    const wrt = Object.keys(samples).filter((name) => {
      const { checked = true, type = "float64" } = samples[name]!;
      return checked && type.startsWith("float");
    });
    // Cotangents that differ from element to element: the outputs themselves.
    const cotangents = outputs.map((output) => add(output, 0.5));
    const gradients = gradientsFrom(
      outputs,
      cotangents,
      wrt.map((name) => inputs[name]!),
    );
    gradients.forEach((dx, i) => graph.output(`d${wrt[i]}`, dx));
  }
  return { program: await device.compile(graph, options) };
}
