import { standaloneLetters } from "./python-text.js";
import { publishedLetter, type Reading } from "./reading.js";
import { withoutReasoning } from "./reasoning.js";

export const lastMatch: Reading = {
  description: "the last match of \\b([A-Da-d])\\b",
  read: (reply) => {
    let last: string | undefined;
    for (const [letter] of withoutReasoning(reply).matchAll(standaloneLetters())) last = letter;
    return [publishedLetter(last?.toUpperCase())];
  },
  settled: () => false,
  several: false,
};
