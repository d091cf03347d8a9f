import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as g from "../index.js";
import { uniform } from "../testing/samples.js";
import { BNB4_VALUES, bnb4Product, dequantizeBnb4, matmulBnb4 } from "./index.js";

describe("products with 4-bit weights", () => {
  let device: g.Device;
  beforeAll(async () => {
    device = await g.openDevice("cpu");
  });
  afterAll(() => device.close());

  for (const [kind, rows, columns] of [
    ["nf4", 48, 64],
    ["fp4", 48, 64],
    ["nf4", 64, 192],
    ["fp4", 256, 32],
    // Blocks that straddle rows.
    ["nf4", 48, 16],
    ["fp4", 64, 48],
  ] as const) {
    it(`${kind} ${rows} × ${columns}: x · Wᵀ and its gradient agree with the weight written out`, async () => {
      const random = uniform(rows * 7 + columns);
      const blockSize = 32;
      const packed = Uint8Array.from({ length: (rows * columns) / 2 }, () => Math.floor(random() * 256));
      const scales = Float32Array.from({ length: (rows * columns) / blockSize }, () => 0.1 + random());
      const x = Float32Array.from({ length: 2 * 3 * columns }, () => random() - 0.5);
      const dy = Float32Array.from({ length: 2 * 3 * rows }, () => random() - 0.5);
      const weight = Float32Array.from({ length: rows * columns }, (_, i) => {
        const byte = packed[i >> 1]!;
        return (
          Math.fround(BNB4_VALUES[kind][i % 2 === 0 ? byte >> 4 : byte & 15]!) * scales[Math.floor(i / blockSize)]!
        );
      });

      const b = new g.GraphBuilder("bnb4");
      const values = {
        kind,
        rows,
        columns,
        blockSize,
        packed: b.input("packed", "uint8", [packed.length]),
        words: b.input("words", "uint16", [packed.length / 2]),
        scales: b.input("scales", "float32", [scales.length]),
      };
      const input = b.input("x", "float32", ["B", "T", columns]);
      const y = matmulBnb4(input, values);
      b.output("y", y);
      b.output("weight", dequantizeBnb4(values));
      const { words: _words, ...withoutWords } = values;
      b.output("weight without words", dequantizeBnb4(withoutWords));
      b.output("dx", g.gradientsFrom([y], [b.input("dy", "float32", ["B", "T", rows])], [input])[0]!);
      const program = await device.compile(b);
      const out = await program.run({
        x: device.array(x, [2, 3, columns]),
        dy: device.array(dy, [2, 3, rows]),
        packed: device.array(packed, [packed.length]),
        words: device.array(new Uint16Array(packed.buffer), [packed.length / 2]),
        scales: device.array(scales, [scales.length]),
      });
      expect(out.weight!.data).toEqual(weight);
      expect(out["weight without words"]!.data).toEqual(weight);
      for (let t = 0; t < 6; t++) {
        for (let n = 0; n < rows; n++) {
          let expected = 0;
          for (let k = 0; k < columns; k++) expected += x[t * columns + k]! * weight[n * columns + k]!;
          expect((out.y!.data as Float32Array)[t * rows + n]).toBeCloseTo(expected, 4);
        }
        for (let k = 0; k < columns; k++) {
          let expected = 0;
          for (let n = 0; n < rows; n++) expected += dy[t * rows + n]! * weight[n * columns + k]!;
          expect((out.dx!.data as Float32Array)[t * columns + k]).toBeCloseTo(expected, 4);
        }
      }
      await program.dispose();
    });
  }

  it("refuses codes that do not fit, and the product that the runtime gets wrong", async () => {
    const b = new g.GraphBuilder("bnb4");
    const x = b.input("x", "float32", [2, 64]);
    const good = {
      kind: "nf4",
      rows: 32,
      columns: 64,
      blockSize: 64,
      packed: b.input("packed", "uint8", [1024]),
      scales: b.input("scales", "float32", [32]),
    } as const;
    expect(() => matmulBnb4(x, { ...good, rows: 64 })).toThrow(
      /packed codes are packed \(uint8 \[1024\]\), not uint8 \[2048\]/,
    );
    expect(() => matmulBnb4(x, { ...good, blockSize: 48 })).toThrow(/block size 48/);
    const int = (value: number) => ({ kind: "int", value }) as const;
    const wrong = { K: int(64), N: int(32), block_size: int(64), quant_type: int(1), transB: int(0) };
    b.output("y", b.one(bnb4Product.definition, [x, good.packed, good.scales], "float32", [2, 32], wrong));
    await expect(device.compile(b)).rejects.toThrow(/transB = 0 computes something else/);
  });
});
