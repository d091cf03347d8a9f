import { describe, expect, it } from "vitest";
import * as g from "./index.js";
import { uniform } from "./testing/samples.js";

/** Operations and their gradients on tensors large enough to be divided among threads. */
const pieces: Record<string, (x: g.Value, i: g.Value) => g.Value> = {
  elementwise: (x) => g.tanh(g.add(g.exp(g.mul(x, 0.1)), g.sqrt(g.add(g.abs(x), 1)))),
  broadcast: (x) => g.mul(g.sub(x, g.reduceMean(x, [0])), g.reduceMax(x, [-1], { keepAxes: true })),
  norm: (x) => g.rmsNorm(x, g.reduceSum(x, [0, 1]), 1e-6),
  attention: (x) => {
    const heads = g.transpose(g.reshape(x, [8, 400, 4, 16]), [0, 2, 1, 3]);
    return g.matmul(g.softmax(g.matmul(heads, heads, { transB: true, alpha: 0.2 })), heads);
  },
  "rows by a matrix": (x) => g.matmul(x, g.reduceMean(g.reshape(x, [50, 64, 64]), [0]), { transB: true }),
  gather: (x, i) => g.gather(g.reshape(x, [3200, 64]), i),
  "gather, inner axis": (x, i) => g.gather(g.reshape(x, [64, 3200]), i, 1),
  gatherElements: (x, i) => g.gatherElements(g.reshape(x, [1, 204_800]), g.reshape(i, [1, 6400]), 1),
  layout: (x) =>
    g.concat(
      [g.slice(x, 1, 3, 300), ...g.split(x, 1, [150, 250])].map((piece) => g.transpose(piece, [2, 0, 1])),
      2,
    ),
  where: (x) => g.where(g.greater(x, 0), g.mul(x, 2), g.reduceMean(x, [1], { keepAxes: true })),
  crossEntropy: (x, i) => g.crossEntropy(g.reshape(x, [6400, 32]), g.cast(g.div(i, 100), "int32")),
  dropout: (x) => g.dropout(x, { rate: 0.1, seed: x.builder.scalar(5, "int32"), site: 1 }),
};

describe("several threads", () => {
  it.each(Object.keys(pieces))("give what one gives: %s", async (name) => {
    const random = uniform(11);
    const data = Float32Array.from({ length: 8 * 400 * 64 }, () => random() * 2 - 1);
    const places = BigInt64Array.from({ length: 6400 }, () => BigInt(Math.floor(random() * 3200)));
    const results: Record<string, g.TypedArray>[] = [];
    for (const threads of [1, 4]) {
      const device = await g.openDevice("cpu", { threads });
      const b = new g.GraphBuilder(name);
      const x = b.input("x", "float32", [8, 400, 64]);
      const i = b.input("i", "int64", [6400]);
      const y = pieces[name]!(x, i);
      b.output("y", y);
      b.output("dx", g.gradientsFrom([y], [g.sin(y)], [x])[0]!);
      const program = await device.compile(b);
      const out = await program.run({ x: device.array(data, [8, 400, 64]), i: device.array(places, [6400]) });
      results.push({ y: out.y!.data, dx: out.dx!.data });
      await program.dispose();
    }
    for (const key of ["y", "dx"])
      expect(relativeDistance(results[0]![key] as Float32Array, results[1]![key] as Float32Array), key).toBeLessThan(
        1e-5,
      );
  });
});

function relativeDistance(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += a[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}
