import { expect, it } from "vitest";
import { plainText } from "./plain-text.js";

it.each([
  ["gemma-2-2b", "gemma-2-2b"],
  ["größer 日本 🙂", "größer 日本 🙂"],
  ["\u001b[2J\u001b]0;title\u0007", "\\u001b[2J\\u001b]0;title\\u0007"],
  ["a\r\nb\u009b31m\u007f", "a\\u000d\\u000ab\\u009b31m\\u007f"],
  ["x\u202egnp.exe\u2066\u2028", "x\\u202egnp.exe\\u2066\\u2028"],
])("a line for a terminal has nothing that it acts on: %j", (given, shown) => {
  expect(plainText(given)).toBe(shown);
});

it("and has an end", () => {
  expect(plainText("x".repeat(10), 4)).toBe("xxxx…");
});
