import { type Device, GraphBuilder, matmul, reduceSum } from "../../src/graph/index.js";

/**
 * GFLOPS of plain matrix products of a model's feed-forward shape, [rows, width] × [width, inner], weights as inputs:
 * the best of some runs of eight products each.
 */
export async function rawRate(
  device: Device,
  rows: number,
  width: number,
  inner: number,
  seconds = 3,
): Promise<number> {
  const products = 8;
  const graph = new GraphBuilder("products");
  for (let i = 0; i < products; i++) {
    const product = matmul(
      graph.input(`x${i}`, "float32", [rows, width]),
      graph.input(`w${i}`, "float32", [width, inner]),
    );
    graph.output(`corner${i}`, reduceSum(product, [0]));
  }
  const program = await device.compile(graph);
  const filled = (...shape: number[]) => device.array(new Float32Array(shape[0]! * shape[1]!).fill(0.5), shape);
  const inputs = Object.fromEntries(
    Array.from(
      { length: products },
      (_, i) =>
        [
          [`x${i}`, filled(rows, width)],
          [`w${i}`, filled(width, inner)],
        ] as const,
    ).flat(),
  );
  let best = Infinity;
  for (const begun = performance.now(); performance.now() - begun < seconds * 1000; ) {
    const start = performance.now();
    await program.run(inputs);
    best = Math.min(best, performance.now() - start);
  }
  await program.dispose();
  return (products * 2 * rows * width * inner) / best / 1e6;
}
