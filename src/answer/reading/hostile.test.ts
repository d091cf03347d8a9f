import { describe, expect, it } from "vitest";
import { type ReadingName, readings, readReply, settled } from "./index.js";

/** What an expression that looks at a text again and again would drown in. */
const UNITS = [
  " ",
  "\t",
  "\n",
  "\r",
  "(",
  ")",
  "*",
  "_",
  "`",
  "~~",
  "|",
  "<",
  ">",
  "[",
  "]",
  "{",
  "}",
  '"',
  "'A",
  ",",
  "-",
  "\\boxed{",
  "```json\n",
  "7",
  "7 ",
  "é",
  "\u0301",
  "\u200b",
  "\ufffd",
  "x ",
  "A",
  "A ",
  "A, ",
  "A and ",
  "A or ",
  "not ",
  "is ",
  "B is wrong ",
  "Answer",
  "Answer:",
  "Answer: A ",
  "1. A ",
  "Q1: B\n",
  "Question:\n",
  "User:\n",
  "<think>",
  "</think>",
  "<|channel|>",
  "<|channel>thought",
  "assistantfinal",
  "<|im_start|>",
  "[INST]",
  "[THINK]",
  "◁think▷",
  "選",
  "答案",
  "ア",
  "न",
  "না",
  "ب ",
  "정답은 ",
];
const LENGTH = 64 * 1024;
const prose = "The reply goes on about this and that, names no option, and comes to no end. ";

/** Processor time, which another program's work does not lengthen. */
function cost(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
const readAll = (name: ReadingName, text: string): void => {
  readReply(name, text, 1);
  if (readings[name].several) readReply(name, text, 8);
  settled(name, text);
};

describe("replies made to be slow to read", () => {
  it.each(Object.keys(readings) as ReadingName[])("cost %s about what prose of their length costs", (name) => {
    const ordinary = prose.repeat(LENGTH / prose.length);
    readAll(name, ordinary);
    // What is quadratic needs hundreds of times as long at this length; what is linear, ten times at most.
    const bound =
      100 *
      Math.max(
        cost(() => readAll(name, ordinary)),
        cost(() => readAll("robust", ordinary)),
      );
    for (const unit of UNITS)
      for (const [before, after] of [
        ["", "x"],
        ["B\n", "\nA"],
      ] as const) {
        const text = before + unit.repeat(LENGTH / unit.length) + after;
        expect(
          cost(() => readAll(name, text)),
          JSON.stringify(unit),
        ).toBeLessThan(bound);
      }
  });
});
