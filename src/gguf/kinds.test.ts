import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dequantize } from "./dequantize.js";
import { bytesOf, KINDS, type Kind } from "./kinds.js";
import { quantize, WRITTEN_KINDS } from "./quantize.js";

const golden = JSON.parse(readFileSync(new URL("../../reference/golden/gguf/kinds.json", import.meta.url), "utf8")) as {
  dequantized: Record<Kind, { bytes: string; values: string }>;
  quantized: { values: string; bytes: Record<(typeof WRITTEN_KINDS)[number], string> };
};
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const floats = (text: string): Float32Array => new Float32Array(bytes(text).buffer);
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

describe("kinds of tensors", () => {
  it("are all in the golden file", () => {
    expect(Object.keys(golden.dequantized).sort()).toEqual(Object.keys(KINDS).sort());
    expect(Object.keys(golden.quantized.bytes).sort()).toEqual([...WRITTEN_KINDS].sort());
  });

  it.each(Object.keys(KINDS) as Kind[])("%s is read to the bit as Python's gguf reads it", (kind) => {
    const [stored, values] = [bytes(golden.dequantized[kind].bytes), floats(golden.dequantized[kind].values)];
    const out = new Float32Array(values.length + 3);
    dequantize(stored, kind, out, 3);
    expect(bytesOf(kind, values.length)).toBe(stored.length);
    expect(bits(out.subarray(3))).toEqual(bits(values));
    expect([...out.subarray(0, 3)]).toEqual([0, 0, 0]);
  });

  it.each(WRITTEN_KINDS)("%s is written to the bit as Python's gguf writes it", (kind) => {
    expect(quantize(floats(golden.quantized.values), kind)).toEqual(bytes(golden.quantized.bytes[kind]));
  });

  it("float16 numbers are read and written again as they were, but NaN", () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((half) => (half & 0x7fff) <= 0x7c00);
    const values = new Float32Array(all.length);
    dequantize(new Uint8Array(all.buffer), "F16", values, 0);
    expect(new Uint16Array(quantize(values, "F16").buffer)).toEqual(all);
  });
});
