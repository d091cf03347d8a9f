import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as g from "../index.js";

interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Golden {
  readonly op: "maximum" | "minimum";
  readonly a: Tensor;
  readonly b: Tensor;
  readonly y: Tensor;
  readonly dy: readonly number[];
  readonly da: readonly number[];
  readonly db: readonly number[];
}

/** Made by reference/extrema.py. */
const golden = JSON.parse(readFileSync(new URL("../../../reference/golden/extrema.json", import.meta.url), "utf8")) as {
  readonly torch: string;
  readonly cases: readonly Golden[];
};

it.each(golden.cases.map((one, i) => [`${one.op} ${i}: [${one.a.shape}] and [${one.b.shape}]`, one] as const))(
  "%s has torch's values and gradients, equal elements included",
  async (_name, { op, a, b, y, dy, da, db }) => {
    const device = await g.openDevice("cpu", { threads: 1 });
    const graph = new g.GraphBuilder(op);
    const [left, right] = [graph.input("a", "float64", a.shape), graph.input("b", "float64", b.shape)];
    const result = (op === "maximum" ? g.maximum : g.minimum)(left, right);
    const gradients = g.gradientsFrom([result], [graph.input("dy", "float64", y.shape)], [left, right]);
    graph.output("y", result);
    gradients.forEach((gradient, i) => graph.output(`d${i}`, gradient));
    const program = await device.compile(graph);
    const array = ({ shape, data }: Tensor): g.DeviceArray => device.array(Float64Array.from(data), shape);
    const out = await program.run({ a: array(a), b: array(b), dy: array({ shape: y.shape, data: dy }) });
    expect([...(out["y"]!.data as Float64Array)]).toEqual(y.data);
    expect([...(out["d0"]!.data as Float64Array)]).toEqual(da);
    expect([...(out["d1"]!.data as Float64Array)]).toEqual(db);
    await program.dispose();
    await device.close();
  },
);
