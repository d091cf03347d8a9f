import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as g from "../index.js";
import { dropoutScales } from "../testing/dropout-golden.js";

describe("dropout", () => {
  let device: g.Device;
  beforeAll(async () => {
    device = await g.openDevice("cpu");
  });
  afterAll(() => device.close());

  async function masks(
    rate: number,
    shape: readonly number[],
    seeds: readonly number[],
    site = 7,
  ): Promise<Uint8Array[]> {
    const b = new g.GraphBuilder("dropout");
    const x = b.input(
      "x",
      "float32",
      shape.map((_, axis) => `d${axis}`),
    );
    b.output("y", g.dropout(x, { rate, seed: b.input("seed", "int32", []), site }));
    const program = await device.compile(b);
    const ones = device.array(new Float32Array(shape.reduce((a, n) => a * n, 1)).fill(1), shape);
    const out: Uint8Array[] = [];
    for (const seed of seeds) {
      const { y } = await program.run({ x: ones, seed: device.array(Int32Array.of(seed), []) });
      const kept = Math.fround(1 / (1 - rate));
      out.push(
        Uint8Array.from(y!.data as Float32Array, (value) => {
          if (value !== 0 && value !== kept) throw new Error(`${value} is neither 0 nor ${kept}`);
          return value === 0 ? 1 : 0;
        }),
      );
    }
    await program.dispose();
    return out;
  }

  /** Standard deviations that a count lies from what independent draws give on average. */
  const deviations = (count: number, draws: number, probability: number): number =>
    (count - draws * probability) / Math.sqrt(draws * probability * (1 - probability));

  it("drops the share it should, overall, along rows and along columns", async () => {
    const [rows, columns] = [500, 400];
    for (const rate of [0.1, 0.5]) {
      for (const mask of await masks(rate, [rows, columns], [1, 2, -3])) {
        expect(Math.abs(deviations(sum(mask), mask.length, rate))).toBeLessThan(4);
        for (const [lines, length, at] of [
          [rows, columns, (i: number, j: number) => i * columns + j],
          [columns, rows, (i: number, j: number) => j * columns + i],
        ] as const) {
          const squares = Array.from({ length: lines }, (_, i) => {
            let count = 0;
            for (let j = 0; j < length; j++) count += mask[at(i, j)]!;
            return deviations(count, length, rate) ** 2;
          });
          // chi square of `lines` degrees of freedom
          expect(Math.abs((sum(squares) - lines) / Math.sqrt(2 * lines))).toBeLessThan(4.5);
        }
      }
    }
  });

  it("drops neighbours, corners of rectangles, seeds and sites independently", async () => {
    const [rows, columns] = [500, 400];
    const rate = 0.3;
    const [mask, nextSeed, far] = (await masks(rate, [rows, columns], [5, 6, 5 + 65536])) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const [nextSite] = (await masks(rate, [rows, columns], [5], 8)) as [Uint8Array];
    const joint = (other: (i: number, j: number) => number): number => {
      let both = 0;
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) both += mask[i * columns + j]! * other(i, j);
      return deviations(both, rows * columns, rate * rate);
    };
    const cell = (m: Uint8Array) => (i: number, j: number) => m[(i % rows) * columns + (j % columns)]!;
    for (const [di, dj] of [
      [0, 1],
      [1, 0],
      [1, 1],
      [0, 2],
      [2, 0],
      [0, 16],
      [16, 0],
      [250, 200],
    ] as const) {
      expect(Math.abs(joint((i, j) => cell(mask)(i + di, j + dj))), `lag ${di},${dj}`).toBeLessThan(4.5);
    }
    for (const other of [nextSeed, far, nextSite]) {
      expect(Math.abs(joint(cell(other)))).toBeLessThan(4.5);
      expect(Math.abs(joint((i, j) => cell(other)(i + 1, j)))).toBeLessThan(4.5);
    }
    let corners = 0;
    let count = 0;
    for (let i = 0; i + 1 < rows; i += 2) {
      for (let j = 0; j + 1 < columns; j += 2) {
        corners += (cell(mask)(i, j) + cell(mask)(i + 1, j) + cell(mask)(i, j + 1) + cell(mask)(i + 1, j + 1)) % 2;
        count++;
      }
    }
    // the sum of four independent draws is odd with probability (1 − (1 − 2 rate)^4) / 2
    expect(Math.abs(deviations(corners, count, (1 - (1 - 2 * rate) ** 4) / 2))).toBeLessThan(4.5);
  });

  it("is the same at every run, and bit for bit what the same arithmetic gives in JavaScript", async () => {
    const [first, again] = (await masks(0.1, [3, 4, 5], [42, 42])) as [Uint8Array, Uint8Array];
    expect(again).toEqual(first);
    for (const seed of [42, -1, 2 ** 31 - 1]) {
      const [mask] = (await masks(0.4, [3, 4, 50], [seed])) as [Uint8Array];
      expect([...mask]).toEqual([...dropoutScales(12, 50, seed, 7, 0.4)].map((scale) => (scale === 0 ? 1 : 0)));
    }
  });

  it("gives the same from numbers that are fed", async () => {
    const b = new g.GraphBuilder("dropout from numbers");
    const x = b.input("x", "float32", ["A", "B", 40]);
    const numbers = {
      rate: 0.3,
      rows: b.input("rows", "int32", ["A*B", 1]),
      columns: b.input("columns", "int32", [1, 40]),
    };
    b.output("inside", g.dropout(x, { rate: 0.3, seed: b.input("seed", "int32", []), site: 5 }));
    b.output("fed", g.dropoutFrom(x, numbers));
    const program = await device.compile(b);
    const out = await program.run({
      x: device.array(new Float32Array(240).fill(1), [2, 3, 40]),
      seed: device.array(Int32Array.of(77), []),
      rows: device.array(g.dropoutNumbers(77, 5, 0, 6), [6, 1]),
      columns: device.array(g.dropoutNumbers(77, 5, 1, 40), [1, 40]),
    });
    expect(out["fed"]!.data).toEqual(out["inside"]!.data);
    expect(sum(out["fed"]!.data as Float32Array)).toBeLessThan((0.9 * 240) / 0.7);
    await program.dispose();
  });

  it("has the gradient of its own mask", async () => {
    const b = new g.GraphBuilder("dropout gradient");
    const x = b.input("x", "float32", ["B", 30]);
    const y = g.dropout(x, { rate: 0.25, seed: b.input("seed", "int32", []), site: 0 });
    b.output("y", y);
    b.output("dx", g.gradients(g.reduceSum(y), [x])[0]!);
    const program = await device.compile(b);
    const { y: out, dx } = await program.run({
      x: device.array(new Float32Array(120).fill(1), [4, 30]),
      seed: device.array(Int32Array.of(9), []),
    });
    expect(dx!.data).toEqual(out!.data);
    await program.dispose();
  });
});

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
