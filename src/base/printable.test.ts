import { describe, expect, it } from "vitest";
import { printable, printableName } from "./printable.js";

describe("text from outside", () => {
  it.each([
    ["colours", "a\x1b[31;1mred\x1b[0m", "ared"],
    ["a title", "a\x1b]0;owned\x07b", "ab"],
    ["a link", "a\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\", "atext"],
    ["the clipboard", "\x1b]52;c;ZXZpbA==\x07", ""],
    ["a sequence without end", "a\x1b]0;owned", "a0;owned"],
    ["one-byte forms", "a\x9b31mb\x9d0;t\x9cc", "abc"],
    ["a reset", "a\x1bcb", "ab"],
    ["overwriting", "right\rwrong\b", "rightwrong"],
    ["a turned direction", "a\u202egnp.exe", "agnp.exe"],
    ["all else", "Fräge 問題\n\tسؤال 👩‍👩‍👧", "Fräge 問題\n\tسؤال 👩‍👩‍👧"],
  ])("shows no %s", (_name, given, shown) => expect(printable(given)).toBe(shown));

  it("holds no control character, whatever it was made of", () => {
    const parts = ["\x1b", "[", "]", "\x07", "\\", "3", "m", "\x9b", "\x9d", "\x9c", "P", "a", ";", "\x00"];
    let seed = 7;
    for (let round = 0; round < 5000; round++) {
      const text = Array.from({ length: 12 }, () => parts[(seed = (seed * 48_271) % 2_147_483_647) % parts.length]);
      expect(printable(text.join(""))).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    }
  });

  it("puts names on one line and cuts long ones", () => {
    expect(printableName("a\n  b\x1b[2K")).toBe("a b");
    expect(printableName("x".repeat(1000), 10)).toBe(`${"x".repeat(10)}…`);
  });

  it("takes a megabyte of anything", () => {
    for (const unit of ["\x1b[", "\x1b]", "\x1b", "0", "\x9d;", " "]) printable(unit.repeat(1 << 20));
  });
});
