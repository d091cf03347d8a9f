import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bnb4Product } from "./bnb4/index.js";
import * as g from "./index.js";
import { isDifferentiable, type Sample } from "./operation.js";
import { cases, casesOf, inFloat32, operations, random } from "./testing/cases.js";
import { compareWithDifferences, declare } from "./testing/finite-differences.js";
import { samples, uniform } from "./testing/samples.js";

describe("gradients against finite differences", () => {
  let device: g.Device;
  beforeAll(async () => {
    device = await g.openDevice("cpu", { threads: 1 });
  });
  afterAll(() => device.close());

  it.each(Object.keys(cases).filter((name) => cases[name]!.gradient ?? true))("%s", async (name) => {
    const { samples, build, float32 } = cases[name]!;
    const checks = await compareWithDifferences(device, {
      samples: float32 ? inFloat32(samples) : samples,
      build,
      random: () => random() * 2 - 1,
      step: float32 ? 1e-2 : 1e-5,
    });
    expect(checks.length).toBeGreaterThan(0);
    for (const check of checks) expect(check.error, JSON.stringify(check)).toBeLessThan(float32 ? 2e-3 : 1e-7);
  });
});

describe("operations", () => {
  it("have cases, each of which builds them, and a gradient wherever a case asks for one", () => {
    expect(operations.length).toBeGreaterThan(60);
    for (const { name, operation } of operations) {
      const { definition } = operation;
      const own = casesOf.get(name)!;
      if (definition === bnb4Product.definition) continue; // built by matmulBnb4's
      expect(Object.keys(own), name).not.toEqual([]);
      if (definition.composed) continue;
      for (const [what, { samples, build, gradient, float32 }] of Object.entries(own)) {
        const graph = new g.GraphBuilder("case");
        build(declare(graph, float32 ? inFloat32(samples) : samples));
        expect(
          graph.nodes.some((node) => node.operation === definition),
          what,
        ).toBe(true);
        if (gradient !== false) expect(isDifferentiable(definition), what).toBe(true);
      }
    }
  });

  it("have cases of different names", () => {
    const names = [...casesOf.values()].flatMap((own) => Object.keys(own));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("gradients on random shapes", () => {
  const draw = uniform(77);
  const whole = (low: number, high: number): number => low + Math.floor(draw() * (high - low + 1));
  const { positive, named } = samples(draw);
  const pick = <T>(list: readonly T[]): T => list[whole(0, list.length - 1)]!;
  /** A shape and one that broadcasts with it, with axes missing or of one element on either side. */
  const shapes = (): [number[], number[]] => {
    const full = Array.from({ length: whole(0, 4) }, () => whole(1, 3));
    const thin = (): number[] => full.slice(whole(0, full.length)).map((size) => (draw() < 0.3 ? 1 : size));
    return draw() < 0.5 ? [thin(), full] : [full.map((size) => (draw() < 0.3 ? 1 : size)), thin()];
  };
  /** Names for some of the dimensions that are not 1, alike where the sizes are. */
  const naming = (sample: Sample, share: number): Sample =>
    named(sample, ...sample.shape.map((size) => (size > 1 && share < 0.5 ? `d${size}` : "")));

  it.each(Array.from({ length: 60 }, (_, i) => i))("case %i", async () => {
    const device = await g.openDevice("cpu", { threads: 1 });
    const [left, right] = shapes();
    const share = draw();
    const [a, b] = [naming(positive(...left), share), naming(positive(...right), share)];
    const op = pick([g.add, g.sub, g.mul, g.div, g.pow]);
    const reduce = pick([g.reduceSum, g.reduceMean, g.reduceMax]);
    const [axisShare, keepAxes, then] = [draw(), draw() < 0.5, draw() < 0.5];
    const checks = await compareWithDifferences(device, {
      samples: { a, b },
      random: () => draw() * 2 - 1,
      build: ({ a, b }) => {
        const y = op(a!, b!);
        const reduced =
          y.rank === 0
            ? y
            : reduce(
                y,
                [...y.shape.keys()].filter((axis) => (axis * 0.37 + axisShare) % 1 < 0.5),
                { keepAxes },
              );
        return then && keepAxes ? g.mul(y, g.sigmoid(reduced)) : reduced;
      },
    });
    for (const check of checks)
      expect(
        check.error,
        `${op.definition.name} ${reduce.definition.name} [${left}] [${right}] ${JSON.stringify(check)}`,
      ).toBeLessThan(1e-6);
  });

  it.each(Array.from({ length: 30 }, (_, i) => i))("product %i", async () => {
    const device = await g.openDevice("cpu", { threads: 1 });
    const [left, right] = shapes();
    const [m, k, n] = [whole(1, 3), whole(1, 3), whole(1, 3)];
    const [transA, transB] = [draw() < 0.5, draw() < 0.5];
    const a = positive(...left, ...(transA ? [k, m] : [m, k]));
    const b = positive(...right, ...(transB ? [n, k] : [k, n]));
    const checks = await compareWithDifferences(device, {
      samples: { a, b },
      random: () => draw() * 2 - 1,
      build: ({ a, b }) => g.matmul(a!, b!, { transA, transB, alpha: 0.7 }),
    });
    for (const check of checks)
      expect(check.error, `[${a.shape}] [${b.shape}] ${transA} ${transB} ${JSON.stringify(check)}`).toBeLessThan(1e-6);
  });
});

describe("what has no gradient", () => {
  const graph = (): { b: g.GraphBuilder; x: g.Value } => {
    const b = new g.GraphBuilder("errors");
    return { b, x: b.input("x", "float32", ["B", 3]) };
  };

  it("names an operation without a rule and where it was built", () => {
    const { x } = graph();
    const loss = g.reduceSum(g.topK(x, 1).values);
    expect(() => g.gradients(loss, [x])).toThrow(
      /TopK\(float32 \[B, 3\], int64 \[1\]\), built at .*gradient\.test\.ts:\d+:\d+, has no gradient rule/,
    );
  });

  it("names a value that no gradient reaches, or gives zeros where asked", () => {
    const { b, x } = graph();
    const w = b.input("w", "float32", [3]);
    const loss = g.reduceSum(g.add(x, g.stopGradient(w)));
    expect(() => g.gradients(loss, [x, w])).toThrow(/no gradient reaches w \(float32 \[3\]\)/);
    expect(g.gradients(loss, [x, w], { unreached: "zeros" })[1]!.shape).toEqual([3]);
  });

  it("refuses what a region reads beside its inputs", () => {
    const { b, x } = graph();
    const w = b.input("w", "float32", [3]);
    const loss = g.reduceSum(g.recompute([x], ([x]) => [g.mul(x!, w)])[0]!);
    expect(() => g.gradients(loss, [x, w])).toThrow(
      /recompute, built at .*gradient\.test\.ts.* reads w \(float32 \[3\]\), which is not among its inputs/,
    );
    expect(g.gradients(loss, [x])).toHaveLength(1);
  });

  it("refuses whole numbers and losses of several elements", () => {
    const { b, x } = graph();
    const i = b.input("i", "int64", [2]);
    expect(() => g.gradients(g.reduceSum(g.gather(x, i)), [i])).toThrow(/i \(int64 \[2\]\) has no gradient/);
    expect(() => g.gradients(g.exp(x), [x])).toThrow(/no loss of one element/);
  });

  it("adds nothing for what was not asked for", () => {
    const { b, x } = graph();
    const w = b.input("w", "float32", [3, 3]);
    const loss = g.reduceSum(g.square(g.matmul(x, w)));
    const before = b.nodes.length;
    g.gradients(loss, [w]);
    const products = b.nodes.slice(before).filter((node) => node.op === "MatMul");
    expect(products).toHaveLength(1);
    expect(b.nodes.slice(before).some((node) => node.op === "Transpose" || node.op === "Expand")).toBe(false);
  });
});
