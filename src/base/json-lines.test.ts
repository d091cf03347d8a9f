import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { JsonLinesFile } from "./json-lines.js";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "mmmlu-"))));
afterEach(() => rmSync(folder, { recursive: true }));

describe("a file of JSON lines", () => {
  it.each([
    ['{"a":1}\n{"b":', "cut", '{"a":1}\n'],
    ['{"a":1}\n{"b":', "keep", '{"a":1}\n{"b":\n'],
    ['{"a":1}\n{"b":2}', "cut", '{"a":1}\n{"b":2}\n'],
    ['{"b":2}', "cut", '{"b":2}\n'],
    ["\0\0\0", "cut", ""],
    ["\0\0\0", "keep", "\0\0\0\n"],
    ["12", "cut", ""],
    ["", "keep", ""],
    [`{"a":1}\n${"x".repeat(200_000)}`, "cut", '{"a":1}\n'],
  ] as const)("that ends with %j goes on behind a whole line (%s)", (before, torn, after) => {
    const path = join(folder, "lines.jsonl");
    writeFileSync(path, before);
    const file = new JsonLinesFile(path, { torn });
    file.append({ c: 3 });
    file.close();
    expect(readFileSync(path, "utf8")).toBe(`${after}{"c":3}\n`);
  });

  it.skipIf(!existsSync("/dev/full"))("says that the disk is full, at once", () => {
    const path = join(folder, "full.jsonl");
    symlinkSync("/dev/full", path);
    const file = new JsonLinesFile(path);
    expect(() => file.append({ a: 1 })).toThrow(/cannot append to .*full\.jsonl: ENOSPC/);
    file.close();
  });

  it("says where it cannot be opened", () => {
    writeFileSync(join(folder, "a"), "");
    expect(() => new JsonLinesFile(join(folder, "a", "b.jsonl"))).toThrow(
      /cannot append to .*b\.jsonl: ENOTDIR|EEXIST/,
    );
  });
});
