import { capitals, leadingCapital, splitLines, strip } from "./python-text.js";
import { letterAmong, type Reading } from "./reading.js";
import { withoutReasoning } from "./reasoning.js";

export const lines: Reading = {
  description: "a letter at the start of each line, else every letter of the upper-cased reply (gemma-3-27b-baseline)",
  read: (reply, questions, labels) => readLines(withoutReasoning(reply), questions, labels),
  settled: () => false,
  several: true,
};

/** Cut to the number of questions, filled up with null (the published code writes `?`). */
function readLines(reply: string, questions: number, labels: readonly string[]): (string | null)[] {
  const expression = leadingCapital(labels);
  const leading = splitLines(reply)
    .map((line) => expression.exec(strip(line).toUpperCase())?.[0])
    .filter((letter) => letter !== undefined);
  let letters = leading;
  if (leading.length < questions) {
    const all = reply.toUpperCase().match(new RegExp(capitals(labels), "g")) ?? [];
    if (all.length >= leading.length) letters = all;
  }
  return Array.from({ length: questions }, (_, index) => letterAmong(labels, letters[index]));
}
