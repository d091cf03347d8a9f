import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { joinInside } from "./inside.js";

const outside = mkdtempSync(join(tmpdir(), "inside-"));
const folder = join(outside, "ours");
mkdirSync(join(folder, "real"), { recursive: true });
mkdirSync(join(outside, "ours-too"));
afterAll(() => rmSync(outside, { recursive: true }));

describe("a name from outside", () => {
  it.each([
    "model.safetensors",
    "a/b/c.csv",
    "..a",
    "a..b",
    ".hidden",
    "問題.csv",
    "real/x",
    "refs/pr/1",
    "COM10",
    "console",
  ])("is joined: %s", (name) => expect(joinInside(folder, name)).toBe(join(folder, name)));

  it.each([
    "",
    ".",
    "..",
    "../x",
    "a/../../x",
    "a/..",
    "a/./b",
    "a//b",
    "a/",
    "/etc/passwd",
    "//server/share",
    "..\\x",
    "a\\b",
    "C:/x",
    "c:x",
    "a:stream",
    "x\0y",
    "x\ny",
    "\x1b[31m",
    "a/\u202eb",
    "NUL",
    "nul.txt",
    "a/CON/b",
    "com1.csv",
    "COM¹",
    "LPT9",
    "x.",
    "x ",
    ".. ",
    "...",
    "a*",
    "a?",
    "\ud800",
    "x".repeat(300),
    `${"a/".repeat(600)}a`,
  ])("is refused: %j", (name) => {
    expect(() => joinInside(folder, name)).toThrow(/is no name for a file in/);
    expect(() => joinInside(folder, "a", name)).toThrow(/is no name for a file in/);
  });

  it("is not led out by a link, at any depth, to what is there or not; a link as the last part is the caller's", () => {
    symlinkSync(outside, join(folder, "out"));
    symlinkSync(join(outside, "ours-too"), join(folder, "beside"));
    symlinkSync(join(outside, "nowhere"), join(folder, "dangling"));
    symlinkSync(join(folder, "real"), join(folder, "within"));
    writeFileSync(join(outside, "file"), "");
    symlinkSync(join(outside, "file"), join(folder, "real", "blob"));
    for (const name of ["out/x", "out/deep/er/x", "beside/x", "dangling/x", "within/../x"])
      expect(() => joinInside(folder, name)).toThrow();
    expect(joinInside(folder, "within/x")).toBe(join(folder, "within/x"));
    expect(joinInside(folder, "real/blob")).toBe(join(folder, "real/blob"));
    symlinkSync(folder, join(outside, "alias"));
    expect(joinInside(join(outside, "alias"), "real/x")).toBe(join(outside, "alias", "real/x"));
    expect(joinInside(join(outside, "not-yet"), "a/b")).toBe(join(outside, "not-yet", "a/b"));
  });
});
