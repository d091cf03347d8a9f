import { describe, expect, it } from "vitest";
import * as g from "./index.js";

describe("running a graph on the CPU", () => {
  it("multiplies with and without transposes, with symbolic rows", async () => {
    const device = await g.openDevice("cpu");
    const b = new g.GraphBuilder("products");
    const x = b.input("x", "float32", ["B", "T", 3]);
    const w = b.input("w", "float32", [3, 2]);
    const v = b.input("v", "float32", [2, 3]);
    b.output("plain", g.matmul(x, w));
    b.output("transposed", g.matmul(x, v, { transB: true }));
    b.output("sum", g.reduceSum(g.matmul(x, v, { transB: true })));
    b.output("flat", g.reshape(x, [-1, 3]));
    expect(g.reshape(x, [-1, 3]).shape).toEqual(["B*T", 3]);
    const program = await device.compile(b);
    const out = await program.run({
      x: device.array(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3]),
      w: device.array(Float32Array.of(1, 0, 0, 1, 1, 1), [3, 2]),
      v: device.array(Float32Array.of(1, 0, 1, 0, 1, 1), [2, 3]),
    });
    expect([...(out.plain!.data as Float32Array)]).toEqual([4, 5, 10, 11]);
    expect(out.plain!.shape).toEqual([1, 2, 2]);
    expect([...(out.transposed!.data as Float32Array)]).toEqual([4, 5, 10, 11]);
    expect(out.transposed!.shape).toEqual([1, 2, 2]);
    expect(out.flat!.shape).toEqual([2, 3]);
    expect((out.sum!.data as Float32Array)[0]).toBe(30);
    await program.dispose();
  });

  it("names the op, the shapes and the place where a graph is wrong", () => {
    const b = new g.GraphBuilder();
    const x = b.input("x", "float32", ["B", 512]);
    const w = b.input("w", "float32", [256, 64]);
    expect(() => g.matmul(x, w)).toThrow(
      /MatMul\(float32 \[B, 512\], float32 \[256, 64\]\): the inner dimensions 512 and 256 differ; built at .*program\.test\.ts:\d+:\d+/,
    );
    expect(() => g.add(x, w)).toThrow(/do not broadcast; built at .*program\.test\.ts/);
  });
});
