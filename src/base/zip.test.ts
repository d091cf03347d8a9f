import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { expect, it } from "vitest";
import { zipOf } from "./zip.js";

const files = [
  { name: "job.json", data: Buffer.from('{"format":1}') },
  { name: "adapter-start/größe.bin", data: Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i) & 0xff)) },
  { name: "empty", data: Buffer.alloc(0) },
];

it("makes archives whose entries hold what was put in, the same each time", () => {
  const zip = zipOf(files);
  expect(zipOf(files).equals(zip)).toBe(true);
  // By the central directory, as readers go.
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  expect(zip.readUInt16LE(end + 10)).toBe(files.length);
  let at = zip.readUInt32LE(end + 16);
  for (const { name, data } of files) {
    const [packed, whole, length] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 24), zip.readUInt16LE(at + 28)];
    expect(zip.toString("utf8", at + 46, at + 46 + length)).toBe(name);
    const start = zip.readUInt32LE(at + 42) + 30 + length;
    const found = inflateRawSync(zip.subarray(start, start + packed));
    expect([whole, found.equals(data)]).toEqual([data.length, true]);
    at += 46 + length;
  }
});

const python = ((): string | undefined => {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return "python3";
  } catch {
    console.warn("skipped: a ZIP archive read by Python's zipfile (there is no python3)");
    return undefined;
  }
})();

it.skipIf(!python)("makes archives that Python's zipfile finds whole", () => {
  const folder = mkdtempSync(join(tmpdir(), "zip-"));
  try {
    writeFileSync(join(folder, "a.zip"), zipOf(files));
    const code = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.namelist())";
    expect(execFileSync(python!, ["-c", code, join(folder, "a.zip")]).toString()).toBe(
      "None ['job.json', 'adapter-start/größe.bin', 'empty']\n",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
