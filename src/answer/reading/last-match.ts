import { standaloneLetters } from "./python-text.js";
import { letterAmong, type Reading } from "./reading.js";
import { withoutReasoning } from "./reasoning.js";

export const lastMatch: Reading = {
  description: "the last match of \\b([A-Da-d])\\b",
  read: (reply, _questions, labels) => {
    let last: string | undefined;
    for (const [letter] of withoutReasoning(reply).matchAll(standaloneLetters(labels))) last = letter;
    return [letterAmong(labels, last?.toUpperCase())];
  },
  settled: () => false,
  several: false,
};
