import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bfloat16Bits } from "../graph/index.js";
import { CheckpointWeights } from "./checkpoint-weights.js";
import { SafetensorsFile } from "./safetensors.js";
import { type TensorToWrite, writeSafetensors, writeShardedSafetensors } from "./write-safetensors.js";

const folder = mkdtempSync(join(tmpdir(), "safetensors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let counter = 0;
const fresh = (): string => join(folder, `${++counter}.safetensors`);

/** A file with this header and so many data bytes. */
function fileOf(header: unknown, dataBytes: number, claimed?: number): string {
  const path = fresh();
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimed ?? json.length));
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path;
}

const tensor = (dtype: unknown, shape: unknown, begin: number, end: number): unknown => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("reading safetensors", () => {
  it("reads back what was written, with every float type", async () => {
    const path = fresh();
    const values = Float32Array.from({ length: 6 }, (_, i) => (i - 2) * 0.75);
    const halves = Uint16Array.of(0x0000, 0x3c00, 0xbc00, 0x7bff, 0x0001, 0xfc00);
    const tensors: TensorToWrite[] = [
      { name: "f32", type: "F32", shape: [2, 3], elements: () => values },
      { name: "bf16", type: "BF16", shape: [6], elements: () => bfloat16Bits(values) },
      { name: "f16", type: "F16", shape: [3, 2], elements: () => halves },
      { name: "f64", type: "F64", shape: [6], elements: () => Float64Array.from(values) },
      { name: "bytes", type: "U8", shape: [5], elements: () => Uint8Array.of(1, 2, 3, 4, 5) },
      { name: "empty", type: "F32", shape: [0, 4], elements: () => new Float32Array(0) },
      { name: "one", type: "F32", shape: [], elements: () => Float32Array.of(7) },
    ];
    writeSafetensors(path, tensors, { format: "pt", note: "ünïcode" });
    const file = await SafetensorsFile.open(path);
    expect(file.metadata).toEqual({ format: "pt", note: "ünïcode" });
    expect(await file.readFloat32("f32")).toEqual(values);
    expect(await file.readFloat32("bf16")).toEqual(values);
    expect(await file.readFloat32("f64")).toEqual(values);
    expect([...(await file.readFloat32("f16"))]).toEqual([0, 1, -1, 65504, 2 ** -24, -Infinity]);
    expect([...(await file.readBytes("bytes"))]).toEqual([1, 2, 3, 4, 5]);
    expect([...(await file.readRows("f32", 1, 1))]).toEqual([...values.subarray(3)]);
    expect([...(await file.readRows("f16", 1, 2))]).toEqual([-1, 65504, 2 ** -24, -Infinity]);
    expect((await file.readFloat32("empty")).length).toBe(0);
    expect([...(await file.readFloat32("one"))]).toEqual([7]);
    expect(file.entry("f32").offset % 8).toBe(0);
    await expect(file.readFloat32("bytes")).rejects.toThrow(/bytes is U8/);
    await file.close();
  });

  it("rounds bfloat16 to nearest even", () => {
    const bits = bfloat16Bits(
      new Float32Array(Uint32Array.of(0x3f808000, 0x3f818000, 0x3f808001, 0x7f800001, 0xff7fffff).buffer),
    );
    expect([...bits].map((b) => b.toString(16))).toEqual(["3f80", "3f82", "3f81", "7fc0", "ff80"]);
  });

  it.each<[string, () => string, RegExp]>([
    ["a missing file", () => join(folder, "nowhere.safetensors"), /cannot open .*nowhere/],
    [
      "an empty file",
      () => {
        const path = fresh();
        writeFileSync(path, "");
        return path;
      },
      /0 bytes/,
    ],
    [
      "a pointer of Git LFS",
      () => {
        const path = fresh();
        writeFileSync(path, `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 5\n`);
        return path;
      },
      /is a pointer of Git LFS/,
    ],
    ["a header longer than the file", () => fileOf("{}", 0, 1000), /claims 1000 bytes, and the file has 10/],
    ["a header longer than the format allows", () => fileOf("{}", 0, 2 ** 40), /the format allows/],
    ["a header that is not JSON", () => fileOf("{oops", 0), /not JSON/],
    ["a header that is a list", () => fileOf([], 0), /not a JSON object/],
    ["an unknown type", () => fileOf({ w: tensor("F12", [2], 0, 8) }, 8), /unknown type "F12"/],
    ["a prototype's name as type", () => fileOf({ w: tensor("toString", [2], 0, 8) }, 8), /unknown type/],
    ["a negative dimension", () => fileOf({ w: tensor("F32", [-2], 0, 8) }, 8), /has the shape \[-2\]/],
    ["a shape that overflows", () => fileOf({ w: tensor("F32", [2 ** 40, 2 ** 40], 0, 8) }, 8), /has the shape/],
    [
      "offsets that do not fit the shape",
      () => fileOf({ w: tensor("F32", [2], 0, 4) }, 4),
      /needs 8 bytes and is given 4/,
    ],
    ["offsets that run backwards", () => fileOf({ w: tensor("F32", [2], 8, 0) }, 8), /needs 8 bytes/],
    ["offsets past the end", () => fileOf({ w: tensor("F32", [2], 0, 8) }, 4), /cut short, or its header lies/],
    ["an overlap", () => fileOf({ a: tensor("F32", [2], 0, 8), b: tensor("F32", [2], 4, 12) }, 12), /b overlaps/],
    [
      "a hole",
      () => fileOf({ a: tensor("F32", [1], 0, 4), b: tensor("F32", [1], 8, 12) }, 12),
      /4 bytes before tensor b/,
    ],
    ["bytes after the last tensor", () => fileOf({ a: tensor("F32", [1], 0, 4) }, 9), /end at byte/],
  ])("refuses %s", async (_name, make, message) => {
    await expect(SafetensorsFile.open(make())).rejects.toThrow(message);
  });

  it("refuses a file cut at any byte", async () => {
    const path = fresh();
    writeSafetensors(path, [{ name: "w", type: "F32", shape: [3], elements: () => Float32Array.of(1, 2, 3) }]);
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      const cut = join(folder, "cut.safetensors");
      writeFileSync(cut, whole.subarray(0, length));
      await expect(SafetensorsFile.open(cut)).rejects.toThrow();
    }
  });
});

describe("writing safetensors", () => {
  it("leaves nothing behind where a tensor does not fit its shape", () => {
    const path = fresh();
    expect(() =>
      writeSafetensors(path, [{ name: "w", type: "F32", shape: [3], elements: () => Float32Array.of(1) }]),
    ).toThrow(/4 bytes do not fill/);
    expect(readdirSync(folder).filter((name) => name.startsWith(`${counter}.`))).toEqual([]);
  });

  it("writes shards that read back as one, and says which shard is missing", async () => {
    const place = mkdtempSync(join(folder, "shards-"));
    const tensors = Array.from(
      { length: 5 },
      (_, i): TensorToWrite => ({
        name: `w${i}`,
        type: "F32",
        shape: [4],
        elements: () => new Float32Array(4).fill(i),
      }),
    );
    const names = writeShardedSafetensors(join(place, "model.safetensors"), tensors, 32);
    expect(names).toEqual([
      "model-00001-of-00003.safetensors",
      "model-00002-of-00003.safetensors",
      "model-00003-of-00003.safetensors",
      "model.safetensors.index.json",
    ]);
    const weights = await CheckpointWeights.open(place);
    expect(weights.names).toEqual(["w0", "w1", "w2", "w3", "w4"]);
    expect([...(await weights.readFloat32("w3", [4]))]).toEqual([3, 3, 3, 3]);
    await expect(weights.readFloat32("w3", [2, 2])).rejects.toThrow(
      /w3 has the shape \[4\]; config.json asks for \[2, 2\]/,
    );
    await expect(weights.readFloat32("other", [2, 2])).rejects.toThrow(/no weight other \[2, 2\]/);
    await weights.close();
    rmSync(join(place, names[1]!));
    await expect(CheckpointWeights.open(place)).rejects.toThrow(/model-00002-of-00003.safetensors, which is not there/);
  });
});
