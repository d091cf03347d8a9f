import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as g from "./index.js";
import { uniform } from "./testing/samples.js";

let device: g.Device;
beforeAll(async () => {
  device = await g.openDevice("cpu");
});
afterAll(() => device.close());

async function evaluate(
  build: (b: g.GraphBuilder) => g.Value,
  arrays: Record<string, g.DeviceArray> = {},
): Promise<g.DeviceArray> {
  const b = new g.GraphBuilder();
  b.output("y", build(b));
  const program = await device.compile(b);
  const { y } = await program.run(arrays);
  await program.dispose();
  return y!;
}

describe("element types", () => {
  it("float16 bits are those that the runtime rounds to", async () => {
    const random = uniform(4);
    const values = [
      0,
      -0,
      1,
      -1,
      65504,
      65519,
      65520,
      1e9,
      -Infinity,
      2 ** -24,
      2 ** -25,
      2 ** -25 * 1.001,
      6e-5,
      6.1e-5,
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      ...Array.from({ length: 500 }, () => (random() - 0.5) * 10 ** Math.floor(random() * 12 - 8)),
    ];
    const float32 = Float32Array.from(values);
    const y = await evaluate((b) => g.cast(b.input("x", "float32", ["N"]), "float16"), {
      x: device.array(float32, [values.length]),
    });
    expect(y.type).toBe("float16");
    expect(g.arrayFromNumbers(float32, "float16")).toEqual(y.data);
  });

  it("bfloat16 stored as uint16 is read in the graph", async () => {
    const x = Float32Array.of(1, -2.5, 3.140625, 1e30, 0);
    const bits = g.arrayFromNumbers(x, "bfloat16");
    const y = await evaluate(
      (b) => g.softmax(g.mul(g.cast(g.bitCast(b.input("x", "uint16", [5]), "bfloat16"), "float32"), 0)),
      { x: device.array(bits, [5]) },
    );
    expect([...(y.data as Float32Array)]).toEqual(new Array(5).fill(Math.fround(0.2)));
    const same = await evaluate((b) => g.cast(g.bitCast(b.input("x", "uint16", [5]), "bfloat16"), "float32"), {
      x: device.array(bits, [5]),
    });
    const rounded = Array.from(
      x,
      (value) =>
        new Float32Array(
          new Uint32Array([
            (new Uint32Array(Float32Array.of(value).buffer)[0]! +
              0x7fff +
              ((new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16) & 1)) &
              0xffff0000,
          ]).buffer,
        )[0],
    );
    expect([...(same.data as Float32Array)]).toEqual(rounded);
  });

  it("float16 arrays are added by the runtime, not as bits", async () => {
    const half = (values: number[]): g.DeviceArray =>
      device.array(g.arrayFromNumbers(values, "float16"), [values.length], "float16");
    const sum = await device.add(half([1, 2.5]), half([0.5, -1]));
    expect(sum.data).toEqual(g.arrayFromNumbers([1.5, 1.5], "float16"));
    const a = device.array(Float32Array.of(1, 2), [2]);
    expect(await device.add(a, device.array(Float32Array.of(3, 4), [2]))).toBe(a);
    expect([...(a.data as Float32Array)]).toEqual([4, 6]);
    await expect(device.add(a, half([1, 2]))).rejects.toThrow(/float32 \[2\] and float16 \[2\] differ/);
  });

  it("integers, comparisons and choices without gradients", async () => {
    const x = device.array(Float32Array.of(3, 9, 1, 9, 2, 4), [2, 3]);
    const run = (build: (x: g.Value) => g.Value): Promise<g.DeviceArray> =>
      evaluate((b) => build(b.input("x", "float32", ["N", 3])), { x });
    expect([...((await run((v) => g.argmax(v))).data as BigInt64Array)]).toEqual([1n, 0n]);
    expect([...((await run((v) => g.topK(v, 2).values)).data as Float32Array)]).toEqual([9, 3, 9, 4]);
    expect([...((await run((v) => g.topK(v, 2).indices)).data as BigInt64Array)]).toEqual([1n, 0n, 0n, 2n]);
    expect([
      ...((await run((v) => g.cast(g.and(g.lessOrEqual(v, 4), g.not(g.equal(v, 1))), "int32"))).data as Int32Array),
    ]).toEqual([1, 0, 0, 0, 1, 1]);
    expect([...((await run((v) => g.maximum(g.minimum(v, 8), 2))).data as Float32Array)]).toEqual([3, 8, 2, 8, 2, 4]);
    expect([...((await run((v) => g.shapeOf(v))).data as BigInt64Array)]).toEqual([2n, 3n]);
    expect([...((await run((v) => g.range(v.builder, "N", "int32"))).data as Int32Array)]).toEqual([0, 1]);
    expect([...((await run((v) => g.or(g.less(v, 2), g.greaterOrEqual(v, 9)))).data as Uint8Array)]).toEqual([
      0, 1, 1, 1, 0, 0,
    ]);
  });

  it("products whose inner dimension is a name", async () => {
    const x = device.array(Float32Array.of(1, 2, 3, 4), [1, 2, 2]);
    const w = device.array(Float32Array.of(1, 0, 1, 1), [2, 2]);
    const y = await evaluate(
      (b) => g.matmul(b.input("x", "float32", [1, "T", "K"]), b.input("w", "float32", ["M", "K"]), { transB: true }),
      { x, w },
    );
    expect([...(y.data as Float32Array)]).toEqual([1, 3, 3, 7]);
  });
});
