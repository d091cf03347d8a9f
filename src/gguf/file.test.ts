import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../base/errors.js";
import { GgufFile, partCount, partPath } from "./file.js";
import { type WrittenValue, writeGguf } from "./write.js";

const small = fileURLToPath(new URL("../../reference/golden/gguf/small.gguf", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gguf-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const file = (bytes: Uint8Array): string => {
  const path = join(folder, `${files++}.gguf`);
  writeFileSync(path, bytes);
  return path;
};

/** What small.gguf holds, in its order; see reference/gguf_files.py. */
const METADATA = new Map<string, WrittenValue>([
  ["general.architecture", { type: "string", value: "test" }],
  ["a.uint8", { type: "uint8", value: 200 }],
  ["a.int8", { type: "int8", value: -100 }],
  ["a.uint16", { type: "uint16", value: 60_000 }],
  ["a.int16", { type: "int16", value: -30_000 }],
  ["a.uint32", { type: "uint32", value: 4_000_000_000 }],
  ["a.int32", { type: "int32", value: -2_000_000_000 }],
  ["a.float32", { type: "float32", value: 0.1 }],
  ["a.uint64", { type: "uint64", value: 2 ** 53 - 1 }],
  ["a.int64", { type: "int64", value: -(2 ** 53 - 1) }],
  ["a.float64", { type: "float64", value: 0.1 }],
  ["a.true", { type: "bool", value: true }],
  ["a.text", { type: "string", value: "Grüße, 世界 😀" }],
  ["a.texts", { type: "array", of: "string", value: ["", "a", "ß"] }],
  ["a.ints", { type: "array", of: "int32", value: [1, -2, 3] }],
  ["a.floats", { type: "array", of: "float32", value: [0.5, -0.25] }],
]);

/** Deterministic numbers from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("a file that Python's gguf wrote", () => {
  it("is read, every type of metadata", () => {
    const read = GgufFile.open(small);
    for (const [key, { type, value }] of METADATA)
      expect(read.metadata.plain(key), key).toEqual(type === "float32" ? Math.fround(value) : value);
    expect([...read.tensors.values()].map(({ name, kind, shape }) => [name, kind, shape])).toEqual([
      ["matrix.f32", "F32", [3, 5]],
      ["matrix.f16", "F16", [3, 64]],
      ["matrix.bf16", "BF16", [3, 64]],
      ["matrix.q8_0", "Q8_0", [3, 64]],
      ["matrix.q4_0", "Q4_0", [3, 64]],
      ["vector", "F32", [7]],
    ]);
    expect(read.readRows("matrix.f32", 1, 2)).toEqual(read.readRows("matrix.f32", 0, 3).subarray(5));
    expect(read.readRows("matrix.q8_0", 2, 1)).toEqual(read.readRows("matrix.q8_0", 0, 3).subarray(128));
    expect(read.readRows("vector", 0, 1).subarray(0, 5)).toEqual(read.readRows("matrix.f32", 0, 1));
    read.close();
  });

  it("is written byte for byte the same", () => {
    const read = GgufFile.open(small);
    const path = join(folder, "again.gguf");
    const tensors = [...read.tensors.values()].map(({ name, kind, shape }) => ({
      name,
      kind,
      shape,
      pieces: () => [read.readBytes(name).subarray(0, 6), read.readBytes(name).subarray(6)],
    }));
    writeGguf(path, METADATA, tensors);
    expect(readFileSync(path).equals(readFileSync(small))).toBe(true);
    read.close();
  });
});

describe("a file that is not as it should be", () => {
  const whole = readFileSync(small);

  it("is refused wherever it was cut short, in words", () => {
    // The padding after the last tensor may be missing.
    for (let length = 0; length < whole.length - 32; length += length < 900 ? 1 : 37)
      expect(() => GgufFile.open(file(whole.subarray(0, length))), `${length} bytes`).toThrow(UserError);
  });

  it("is read or refused in words, whatever bytes its header has", () => {
    const random = numbers(7);
    let refused = 0;
    for (let round = 0; round < 1500; round++) {
      const bytes = Buffer.from(whole);
      for (let changes = 0; changes <= round % 3; changes++) {
        const at = Math.floor(random() * 1000);
        const value = [0, 1, 0x7f, 0x80, 0xff, Math.floor(random() * 256)][Math.floor(random() * 6)]!;
        bytes.fill(value, at, at + [1, 4, 8][Math.floor(random() * 3)]!);
      }
      const path = file(bytes);
      try {
        const read = GgufFile.open(path);
        for (const { name, shape } of read.tensors.values()) read.readRows(name, 0, shape.length === 1 ? 1 : shape[0]!);
        read.close();
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message).toContain(path);
        refused++;
      }
      rmSync(path);
    }
    expect(refused).toBeGreaterThan(500);
  });

  const changed = (change: (bytes: Buffer) => void): string => {
    const bytes = Buffer.from(whole);
    change(bytes);
    return file(bytes);
  };
  const nameAt = (name: string): number => whole.indexOf(name) + name.length;

  it.each<[string, RegExp, (bytes: Buffer) => void]>([
    ["another magic number", /no GGUF file/, (bytes) => bytes.writeUInt32LE(1, 0)],
    ["another version", /version 1 of the format/, (bytes) => bytes.writeUInt32LE(1, 4)],
    ["big-endian", /big-endian/, (bytes) => bytes.writeUInt32BE(3, 4)],
    ["more tensors than it can hold", /tensors, more than its/, (bytes) => bytes.writeBigUInt64LE(100_000n, 8)],
    ["more tensors than are read", /at most 200000 are read/, (bytes) => bytes.writeBigUInt64LE(2n ** 40n, 8)],
    ["more keys than are read", /at most 65536 are read/, (bytes) => bytes.writeBigUInt64LE(2n ** 50n, 16)],
    ["a kind that is not supported", /stored as IQ4_XS, which/, (b) => b.writeUInt32LE(23, nameAt("matrix.q8_0") + 20)],
    ["a kind that nobody knows", /the unknown kind 99/, (b) => b.writeUInt32LE(99, nameAt("matrix.q8_0") + 20)],
    ["an offset between", /no multiple of 32/, (b) => b.writeBigUInt64LE(33n, nameAt("matrix.q8_0") + 24)],
    ["an overlap", /overlaps the one before it/, (b) => b.writeBigUInt64LE(0n, nameAt("matrix.q8_0") + 24)],
    ["an offset beyond", /ends at byte/, (b) => b.writeBigUInt64LE(2n ** 40n, nameAt("matrix.q8_0") + 24)],
    ["a row of half a block", /blocks of 32/, (b) => b.writeBigUInt64LE(48n, nameAt("matrix.q8_0") + 4)],
    ["a shape beyond all bounds", /has the shape/, (b) => b.writeBigUInt64LE(2n ** 52n, nameAt("matrix.q8_0") + 4)],
    ["a list of lists", /is a list of lists/, (bytes) => bytes.writeUInt32LE(9, nameAt("a.ints") + 4)],
    ["a text that is no UTF-8", /not UTF-8/, (bytes) => bytes.writeUInt8(0xff, whole.indexOf("Gr"))],
  ])("is refused: %s", (_, message, change) => {
    expect(() => GgufFile.open(changed(change))).toThrow(message);
  });

  it("that is not there is told of", () => {
    expect(() => GgufFile.open(join(folder, "none.gguf"))).toThrow(/cannot open/);
  });
});

describe("a split model", () => {
  const part = (number: number, count: number): Map<string, WrittenValue> =>
    new Map<string, WrittenValue>([
      ["split.no", { type: "uint16", value: number }],
      ["split.count", { type: "uint16", value: count }],
      ["split.tensors.count", { type: "int32", value: 2 }],
    ]);
  const place = (number: number): string => join(folder, `split-0000${number}-of-00002.gguf`);
  const tensor = (name: string) => ({
    name,
    kind: "F32" as const,
    shape: [2],
    pieces: () => [new Uint8Array(new Float32Array([1, name.length]).buffer)],
  });

  it("is opened by any part, and misses none in silence", () => {
    writeGguf(place(1), part(0, 2), [tensor("a")]);
    expect(() => GgufFile.open(place(1))).toThrow(/split-00002-of-00002\.gguf, a part of a split model/);
    writeGguf(place(2), part(1, 2), [tensor("bb")]);
    for (const number of [1, 2]) {
      const read = GgufFile.open(place(number));
      expect([...read.readRows("a", 0, 1), ...read.readRows("bb", 0, 1)]).toEqual([1, 1, 1, 2]);
      read.close();
    }
    expect(partCount(place(1))).toBe(2);
    expect(partPath(place(1), 2)).toBe(place(2));
  });

  it("is refused where parts are others than their names say, or have a tensor twice", () => {
    copyFileSync(place(1), join(folder, "alone.gguf"));
    expect(() => GgufFile.open(join(folder, "alone.gguf"))).toThrow(
      /part 1 of 2, and its name says that it is the whole/,
    );
    copyFileSync(place(1), place(2));
    expect(() => GgufFile.open(place(1))).toThrow(/part 1 of 2, and its name says part 2 of 2/);
    writeGguf(place(2), part(1, 2), [tensor("a")]);
    expect(() => GgufFile.open(place(1))).toThrow(/is in another part too/);
  });
});
