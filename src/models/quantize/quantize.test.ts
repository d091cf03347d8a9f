import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Device,
  float16Bits,
  GraphBuilder,
  gradientsFrom,
  openDevice,
  roundToFloat16,
} from "../../graph/index.js";
import { Random } from "../random.js";
import { SafetensorsFile } from "../safetensors.js";
import {
  dequantizeFourBit,
  dynamicMap,
  expandScales,
  nestScales,
  quantizeFourBit,
  quantizeInt8,
  weightStore,
} from "./index.js";

/** Made by reference/quantize.py with bitsandbytes. */
let golden: SafetensorsFile;
let device: Device;
beforeAll(async () => {
  golden = await SafetensorsFile.open(
    fileURLToPath(new URL("../../../reference/golden/quantize.safetensors", import.meta.url)),
  );
  device = await openDevice("cpu", { threads: 1 });
});
afterAll(async () => {
  await golden.close();
  await device.close();
});
const floats = (name: string): Promise<Float32Array> => golden.readFloat32(name);
const bytes = (name: string): Promise<Uint8Array> => golden.readBytes(name);

/** Places where two arrays are not the same number; 0 and -0 are. */
function differing(ours: ArrayLike<number>, theirs: ArrayLike<number>): string[] {
  if (ours.length !== theirs.length) return [`${ours.length} elements, not ${theirs.length}`];
  return Array.from(ours)
    .flatMap((value, i) => (value === theirs[i] ? [] : [`${i}: ${value}, not ${theirs[i]}`]))
    .slice(0, 5);
}

describe("4 bits, byte for byte as bitsandbytes", () => {
  for (const kind of ["fp4", "nf4"] as const) {
    it.each([
      ["normal", 64],
      ["bf16", 64],
      ["edges", 64],
      ["normal", 128],
    ] as const)(`${kind} of %s in blocks of %i`, async (source, blockSize) => {
      const name = `${source}.${kind}${blockSize === 128 ? ".128" : ""}`;
      const elements = await floats(source);
      const found = quantizeFourBit(elements, kind, blockSize);
      expect(Buffer.from(found.packed)).toEqual(Buffer.from(await bytes(`${name}.packed`)));
      expect(differing(found.absmax, await floats(`${name}.absmax`))).toEqual([]);
      // bitsandbytes gives the values in the source's type.
      if (source !== "bf16")
        expect(
          differing(dequantizeFourBit(found, kind, elements.length, blockSize), await floats(`${name}.values`)),
        ).toEqual([]);
    });

    it(`${kind} with double quantization`, async () => {
      const found = quantizeFourBit(await floats("many"), kind);
      expect(Buffer.from(found.packed)).toEqual(Buffer.from(await bytes(`many.${kind}.double.packed`)));
      const nested = nestScales(found.absmax);
      expect(nested.offset).toBe((await floats(`many.${kind}.double.offset`))[0]);
      expect(differing(nested.absmax, await floats(`many.${kind}.double.absmax`))).toEqual([]);
      expect(Buffer.from(nested.codes)).toEqual(Buffer.from(await bytes(`many.${kind}.double.codes`)));
    });
  }

  it.each(["fp4", "nf4"] as const)("%s of float32 weights by way of float16", async (kind) => {
    const elements = await floats("stored");
    const words = await bytes("stored.float16");
    expect(Buffer.from(float16Bits(elements).buffer)).toEqual(Buffer.from(words));
    roundToFloat16(elements);
    expect(Buffer.from(elements.buffer)).toEqual(Buffer.from(await bytes("stored.raised")));
    const found = quantizeFourBit(elements, kind);
    expect(Buffer.from(found.packed)).toEqual(Buffer.from(await bytes(`stored.float16.${kind}.packed`)));
    expect(differing(found.absmax, await floats(`stored.float16.${kind}.absmax`))).toEqual([]);
  });

  it("the dynamic map", async () => {
    expect(differing(dynamicMap(), await floats("dynamic_map"))).toEqual([]);
  });

  it("double quantization stays close to the scales", () => {
    const random = new Random(1);
    const scales = Float32Array.from({ length: 5000 }, () => 0.05 + 0.01 * random.normal());
    const again = expandScales(nestScales(scales));
    scales.forEach((scale, i) => expect(Math.abs(again[i]! - scale)).toBeLessThan(0.002));
  });
});

it("8 bits, as bitsandbytes", async () => {
  const { codes, absmax } = quantizeInt8(await floats("int8.source"), 64, 128);
  expect(differing(absmax, await floats("int8.absmax"))).toEqual([]);
  expect(Buffer.from(codes.buffer)).toEqual(Buffer.from(await bytes("int8.codes")));
});

describe("products with stored weights", () => {
  it.each([
    ["fp4", false],
    ["nf4", true],
  ] as const)("%s expanded once holds the same values, double quantization %s", async (kind, doubleQuantization) => {
    const random = new Random(5);
    const elements = random.fillNormal(new Float32Array(32 * 64), 1);
    const [packed, expanded] = await Promise.all(
      [false, true].map((each) =>
        weightStore({ kind, doubleQuantization }, device, { expanded: each })!("w", [32, 64], elements, device),
      ),
    );
    expect(await expanded!.dense()).toEqual(await packed!.dense());
    expect(expanded!.arrays["dense"]!.data).toEqual(await packed!.dense());
    expect(expanded!.quantization).toEqual(packed!.quantization);
  });

  it.each([{ kind: "fp4" }, { kind: "nf4" }, { kind: "nf4", doubleQuantization: true }, { kind: "int8" }] as const)(
    "%j are those with the dense weight, forward and backward",
    async (options) => {
      const random = new Random(3);
      const [outputs, inputs] = [48, 64];
      const elements = random.fillNormal(new Float32Array(outputs * inputs), 0.1);
      const stored = await weightStore(options, device)!("w", [outputs, inputs], elements, device);
      const dense = await stored.dense();
      const graph = new GraphBuilder("stored");
      const x = graph.input("x", "float32", ["T", inputs]);
      const held = Object.fromEntries(
        Object.entries(stored.arrays).map(([key, { type, shape }]) => [key, graph.input(key, type, shape)]),
      );
      const y = stored.product(held, x);
      const dy = graph.input("dy", "float32", ["T", outputs]);
      graph.output("y", y);
      graph.output("dx", gradientsFrom([y], [dy], [x])[0]!);
      const program = await device.compile(graph);
      const [xs, dys] = [
        random.fillNormal(new Float32Array(3 * inputs), 1),
        random.fillNormal(new Float32Array(3 * outputs), 1),
      ];
      const found = await program.run({
        ...stored.arrays,
        x: device.array(xs, [3, inputs]),
        dy: device.array(dys, [3, outputs]),
      });
      for (let t = 0; t < 3; t++) {
        for (let o = 0; o < outputs; o++) {
          let sum = 0;
          for (let i = 0; i < inputs; i++) sum += xs[t * inputs + i]! * dense[o * inputs + i]!;
          expect((found["y"]!.data as Float32Array)[t * outputs + o]).toBeCloseTo(sum, 4);
        }
        for (let i = 0; i < inputs; i++) {
          let sum = 0;
          for (let o = 0; o < outputs; o++) sum += dys[t * outputs + o]! * dense[o * inputs + i]!;
          expect((found["dx"]!.data as Float32Array)[t * inputs + i]).toBeCloseTo(sum, 4);
        }
      }
      await program.dispose();
    },
  );
});
